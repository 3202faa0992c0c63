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
 * The latest decisions of this node, a bounded number in a ring. Noting one costs one small object, so
 * that tens of thousands a second do not show; finding one is a walk over the ring.
 */
export interface DecisionLog {
  started(starts: readonly Omit<Start, 'widthReason'>[], now: number): void
  /** what is promised now; a promise is noted once, however often it is confirmed */
  reserved(reservation: Reservation | null, now: number): void
  /** newest first */
  latest(options?: { jobId?: string; limit?: number }): Decision[]
  counts(): DecisionCounts
}

export function createDecisionLog(capacity = 10_000): DecisionLog {
  /** `next` is the oldest once it is full */
  const ring: Decision[] = []
  let next = 0
  let promise = ''
  const counts: DecisionCounts = {
    IN_ORDER: 0,
    OTHER_WORKER: 0,
    ENDS_BEFORE_RESERVATION: 0,
    SPARE_THREADS: 0,
    RESERVED: 0,
  }

  const put = (decision: Decision): void => {
    ring[next] = decision
    next = (next + 1) % capacity
    counts[decision.kind === 'START' ? decision.reason : 'RESERVED'] += 1
  }

  return {
    started(starts, now) {
      for (const { id, workerName, width, reason } of starts) {
        put({ at: now, jobId: id, workerName, width, kind: 'START', reason })
      }
    },
    reserved(reservation, now) {
      const made = reservation ? `${reservation.jobId} ${reservation.workerName}` : ''
      if (reservation && made !== promise) {
        const { jobId, workerName, width, startAt } = reservation
        put({ at: now, jobId, workerName, width, kind: 'RESERVE', startAt })
      }
      promise = made
    },
    latest({ jobId, limit = capacity } = {}) {
      const found: Decision[] = []
      for (let back = 1; back <= ring.length && found.length < limit; back += 1) {
        const decision = ring[(next - back + ring.length) % ring.length]
        if (decision && (jobId === undefined || decision.jobId === jobId)) found.push(decision)
      }
      return found
    },
    counts: () => ({ ...counts }),
  }
}
