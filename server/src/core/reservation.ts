/**
 * The promise to the job at the head of the queue that does not fit yet: one worker on which nothing may
 * start that would make it wait longer.
 *
 * Where enough run times are predicted, the promise has a time (`startAt`), and other jobs may use the
 * worker until then, or beyond it on threads the head leaves over (EASY backfilling: Lifka 1995, Mu'alem
 * and Feitelson 2001). When running jobs outrun their predictions the time moves with them; what was
 * let pass never moves it, if it was predicted rightly.
 *
 * Where nothing is predicted, or when predictions have been wrong for too long, none is believed. The
 * head may have to start beside ANY set of the jobs that run now, so only those threads are lent that no
 * such set could fill. Then a lend cannot delay the head, whatever ends when.
 *
 * Bound: the head starts within one longest run time after its predictions lapse. Without predictions
 * that is from when it became the head; with them, from `PATIENCE` times the wait first promised after
 * the time promised. From then on it keeps its worker, everything there ends, and nothing harmful starts.
 */
import type { WorkerSpace } from './capacity.ts'

/** The wait promised may be outrun by this many times before predictions are not believed any more. */
export const PATIENCE = 10

/** Threads in use. */
export interface Occupied {
  width: number
  /** predicted, not before now; Infinity where nothing is known */
  endAt: number
}

export interface Space extends WorkerSpace {
  occupied: readonly Occupied[]
}

/** What a waiting job can hope for on one worker. */
export interface Opening {
  /** when enough threads will be free by prediction; Infinity where that is not known */
  startAt: number
  /** threads that must end at least before it can start */
  mustEnd: number
  /** threads others may keep past the start without delaying it */
  spare: number
}

export interface Reservation {
  jobId: string
  workerName: string
  width: number
  /** when it became the head of the queue */
  since: number
  /** when it will start by the predictions of now; null where they do not tell */
  startAt: number | null
  /** the earliest start ever promised to it */
  promisedAt: number | null
}

/** A reservation in force: what others may still use is in `startAt` and `spare`. */
export interface Guard<S extends Space> extends Opening {
  space: S
  reservation: Reservation
}

/**
 * Reserves where the opening comes first. Where predictions do not tell, on the worker promised before,
 * so that the wait is bounded by what runs there; at the first time where the least has to end.
 * Null where no worker is large enough.
 */
export function reserve<S extends Space>(
  head: { id: string; width: number },
  spaces: readonly S[],
  now: number,
  previous: Reservation | null,
): Guard<S> | null {
  const { width } = head
  const before = previous?.jobId === head.id ? previous : null
  const since = before?.since ?? now
  const promised = before?.promisedAt ?? Infinity
  const lapsed = now > promised + PATIENCE * (promised - since)
  const kept = spaces.find(({ name, threads }) => name === before?.workerName && threads >= width)
  const candidates = lapsed && kept ? [kept] : spaces.filter(({ threads }) => threads >= width)
  let best: { space: S; opening: Opening } | null = null
  for (const space of candidates) {
    const opening = predictedOpening(width, space)
    if (!best || comesFirst(opening, best.opening, space === kept, best.space === kept)) {
      best = { space, opening }
    }
  }
  if (!best) return null
  const { space, opening } = best
  const reservation: Reservation = {
    jobId: head.id,
    workerName: space.name,
    width,
    since,
    startAt: known(opening.startAt),
    promisedAt: known(Math.min(promised, opening.startAt)),
  }
  return { ...(lapsed ? unpredictedOpening(width, space) : opening), space, reservation }
}

function comesFirst(a: Opening, b: Opening, aKept: boolean, bKept: boolean): boolean {
  if (a.startAt !== b.startAt) return a.startAt < b.startAt
  if (aKept !== bKept) return aKept
  return a.mustEnd < b.mustEnd
}

const known = (time: number): number | null => (time === Infinity ? null : time)

/** True if a job that ends at `endAt` is out of the way when the head starts. */
export const endsInTime = (endAt: number, { startAt }: Opening): boolean =>
  startAt < Infinity && endAt <= startAt

type Held = Pick<Space, 'threads' | 'occupied'>

/** When `width` threads of a worker could be had, believing predictions. Only for a job that does not fit now. */
export function predictedOpening(width: number, worker: Held): Opening {
  const { used, beside } = besideAny(width, worker)
  const byEnd = [...worker.occupied].sort((a, b) => a.endAt - b.endAt)
  let free = worker.threads - used
  let startAt = -Infinity
  for (const { width: freed, endAt } of byEnd) {
    if (free >= width && endAt > startAt) break
    free += freed
    startAt = endAt
  }
  if (startAt === Infinity) return unpredictedOpening(width, worker)
  return { startAt, mustEnd: used - beside, spare: free - width }
}

/** The same, believing nothing about when anything ends. */
export function unpredictedOpening(width: number, worker: Held): Opening {
  const { used, beside } = besideAny(width, worker)
  return { startAt: Infinity, mustEnd: used - beside, spare: worker.threads - width - beside }
}

/**
 * The most threads that some set of the running jobs can hold on to while the waiting job starts beside
 * it: the largest sum of their widths within `threads - width`. O(jobs × threads), both small here.
 */
function besideAny(width: number, worker: Held): { used: number; beside: number } {
  const room = worker.threads - width
  const reachable = new Uint8Array(room + 1)
  reachable[0] = 1
  let used = 0
  for (const { width: held } of worker.occupied) {
    used += held
    for (let sum = room; sum >= held; sum -= 1) {
      if (reachable[sum - held] === 1) reachable[sum] = 1
    }
  }
  return { used, beside: reachable.lastIndexOf(1) }
}
