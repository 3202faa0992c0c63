import type { Reservation, Start, StartReason } from './plan.ts'

/** One thing the planner decided. */
export type Decision = { at: number; jobId: string; workerName: string; width: number } & (
  | { kind: 'START'; reason: StartReason }
  /** `startAt`: when it is expected to start; null where that is not known */
  | { kind: 'RESERVE'; startAt: number | null }
)

/** How many of each there have been, ever. */
export type DecisionCounts = Record<StartReason | 'RESERVED', number>

/**
 * The latest decisions of this node, a bounded number in a ring; finding one is a walk over it. The ring is of
 * columns: an object for each would be the only thing of a tiny job that is still there after it has ended, and
 * the garbage collector would carry all of them into the old space.
 */
export interface DecisionLog {
  started(starts: readonly Omit<Start, 'widthReason'>[], at: number): void
  /** what is promised now; a promise is noted once, however often it is confirmed */
  reserved(reservation: Reservation | null, at: number): void
  /** newest first */
  latest(options?: { jobId?: string; limit?: number }): Decision[]
  counts(): DecisionCounts
}

export function createDecisionLog(capacity = 10_000): DecisionLog {
  /** how many there have been: the next one's place is that, modulo the capacity */
  let noted = 0
  const jobIds: string[] = []
  const workerNames: string[] = []
  const reasons: (keyof DecisionCounts)[] = []
  const widths = new Uint16Array(capacity)
  const times = new Float64Array(capacity)
  /** of reservations; NaN where it is not known */
  const startTimes = new Float64Array(capacity)
  let promise = ''
  const counts: DecisionCounts = {
    IN_ORDER: 0,
    OTHER_WORKER: 0,
    ENDS_BEFORE_RESERVATION: 0,
    SPARE_THREADS: 0,
    SAME_THREADS: 0,
    RESERVED: 0,
  }

  const put = (
    { id, workerName, width }: Pick<Start, 'id' | 'workerName' | 'width'>,
    reason: keyof DecisionCounts,
    { at, startAt = null }: { at: number; startAt?: number | null },
  ): void => {
    const place = noted % capacity
    jobIds[place] = id
    workerNames[place] = workerName
    reasons[place] = reason
    widths[place] = width
    times[place] = at
    startTimes[place] = startAt ?? NaN
    noted += 1
    counts[reason] += 1
  }

  const get = (place: number): Decision => {
    const reason = reasons[place] ?? 'RESERVED'
    const startAt = startTimes[place] ?? NaN
    return {
      at: times[place] ?? 0,
      jobId: jobIds[place] ?? '',
      workerName: workerNames[place] ?? '',
      width: widths[place] ?? 0,
      ...(reason === 'RESERVED'
        ? { kind: 'RESERVE', startAt: Number.isNaN(startAt) ? null : startAt }
        : { kind: 'START', reason }),
    }
  }

  return {
    started(starts, at) {
      for (const start of starts) put(start, start.reason, { at })
    },
    reserved(reservation, at) {
      const made = reservation ? `${reservation.jobId} ${reservation.workerName}` : ''
      if (reservation && made !== promise) {
        const { jobId: id, workerName, width, startAt } = reservation
        put({ id, workerName, width }, 'RESERVED', { at, startAt })
      }
      promise = made
    },
    latest({ jobId, limit = capacity } = {}) {
      const found: Decision[] = []
      const oldest = Math.max(0, noted - capacity)
      for (let number = noted - 1; number >= oldest && found.length < limit; number -= 1) {
        const place = number % capacity
        if (jobId === undefined || jobIds[place] === jobId) found.push(get(place))
      }
      return found
    },
    counts: () => ({ ...counts }),
  }
}
