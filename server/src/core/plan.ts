/**
 * Which jobs start now, and where. A pure function of the view.
 *
 *   1. Jobs start in order of rank, each whole on the worker that is left with the fewest free threads.
 *   2. The first that does not fit is the head. It gets a reservation on the worker where it can start
 *      soonest.
 *   3. Jobs behind the head may start on other workers, and on the reserved one only where that does not
 *      delay the head (`reservation.ts`, which also states how long the head can wait at most). Among
 *      peers the shortest goes first: it is the likeliest to fit the gap, and others wait least for it.
 *
 *   4. A moldable job starts on fewer threads than it prefers where it is expected to end sooner so than if
 *      it waited for them, and on more where they would idle and it is expected to end sooner.
 *
 * Cost: O(log n) per job looked at, of n queued; at most one per free thread, the head, and `limit`.
 */
import { bestFit, gangFor, isMoldable, type Width } from './capacity.ts'
import type { QueuedJob, WidthReason } from './job.ts'
import { fewerThreads, moreThreads } from './mold.ts'
import { endsInTime, reserve, type Guard, type Reservation, type Space } from './reservation.ts'

export interface RunningView {
  jobId: string
  type: string
  width: number
  rank: number
  startedAt: number
  /** null where nothing is known about its run time */
  expectedEndAt: number | null
}

export interface PlannedWorker {
  name: string
  threads: number
  running: RunningView[]
}

export interface PlanView {
  /** in order of rank */
  queued: Iterable<QueuedJob>
  workers: readonly PlannedWorker[]
  /** threads of the largest worker of the cluster, these ones included */
  clusterMaxThreads: number
  now: number
  /** expected run time in ms of a job on that many threads; null where nothing is known */
  predict?: (job: QueuedJob, width: number) => number | null
  /** the same for a moldable job on a number of threads it has perhaps never had */
  predictOn?: (job: QueuedJob, width: number) => number | null
  /** the reservation of the plan before this one, so that a promise made is kept */
  previous?: Reservation | null
  /** false: no job is promised anything, whatever fits starts; to show what that leads to */
  reservations?: boolean
  /**
   * ranks within one step are peers: ms of waiting that one step of priority is worth when ageing,
   * else 1
   */
  rankStep?: number
  /** how many jobs behind the head are looked at */
  limit?: number
  /** hears why each job that was looked at does not start */
  onWait?: (job: QueuedJob, reason: WaitReason) => void
}

export type StartReason =
  /** it was its turn */
  | 'IN_ORDER'
  /** ahead of the head, on a worker that is not reserved */
  | 'OTHER_WORKER'
  /** ahead of the head, expected to end before the reservation starts */
  | 'ENDS_BEFORE_RESERVATION'
  /** ahead of the head, on threads it leaves over */
  | 'SPARE_THREADS'
  /** right behind a gang of as many threads, ahead of jobs of fewer; not planned, but taken along */
  | 'SAME_THREADS'

export type WaitReason =
  /** it is the head: the reservation is its */
  | 'RESERVED'
  /** no worker has as many threads free */
  | 'NOT_ENOUGH_FREE_THREADS'
  /** there is room, but using it could delay the head */
  | 'WOULD_DELAY_HEAD'
  /** only a worker of another node is large enough */
  | 'ANOTHER_NODE'

export interface Start {
  id: string
  workerName: string
  width: number
  widthReason: WidthReason
  reason: StartReason
}

export type { Reservation }

export interface Plan {
  starts: Start[]
  reservation: Reservation | null
}

/** On the trace in `bench/traces` twenty thousand do no better. */
export const DEFAULT_LIMIT = 100

/** A worker whose free threads go down as the plan is made. */
interface Room extends Space {
  occupied: { width: number; endAt: number }[]
}

/** A queued job at the width it would have here. */
interface Sized {
  job: QueuedJob
  width: number
  widthReason: WidthReason
}

/** A moldable job that was started. */
interface Molded {
  job: QueuedJob
  room: Room
  start: Start
}

interface Candidate extends Sized {
  /** if it started now; Infinity where its run time is not predicted */
  endAt: number
}

export function plan(view: PlanView): Plan {
  const rooms = view.workers.map((worker) => roomOf(worker, view.now))
  const starts: Start[] = []
  const queued = view.queued[Symbol.iterator]()

  const moldable: Molded[] = []
  const head = startInOrder(view, queued, rooms, { starts, moldable })
  if (!head) {
    for (const each of moldable) widen(view, each)
    return { starts, reservation: null }
  }

  const wanted = view.reservations !== false
  const guard = wanted
    ? reserve({ id: head.job.id, width: head.width }, rooms, view.now, view.previous ?? null)
    : null
  view.onWait?.(head.job, guard ? 'RESERVED' : 'NOT_ENOUGH_FREE_THREADS')
  backfill(view, queued, rooms, guard, starts)
  return { starts, reservation: guard?.reservation ?? null }
}

/** Starts what fits, in order; the head is the first that does not. */
function startInOrder(
  view: PlanView,
  queued: Iterator<QueuedJob>,
  rooms: readonly Room[],
  done: { starts: Start[]; moldable: Molded[] },
): Sized | null {
  for (;;) {
    const sized = nextSized(view, queued, rooms)
    if (!sized) return null
    const chosen = fitting(view, sized, rooms)
    if (!chosen) return sized
    const { room, candidate } = chosen
    const start = take(room, candidate, 'IN_ORDER', null)
    done.starts.push(start)
    if (isMoldable(sized.job)) done.moldable.push({ job: sized.job, room, start })
  }
}

/** Where and how wide a job starts now, if it does. */
function fitting(
  view: PlanView,
  sized: Sized,
  rooms: readonly Room[],
): { room: Room; candidate: Candidate } | null {
  const room = bestFit(sized.width, rooms)
  if (room) return { room, candidate: predicted(view, sized) }
  const narrow = narrower(view, predicted(view, sized), rooms)
  const narrowRoom = narrow && bestFit(narrow.width, rooms)
  return narrowRoom && { room: narrowRoom, candidate: narrow }
}

/** Nobody waits for the threads that are left over. */
function widen(view: PlanView, { job, room, start }: Molded): void {
  const more = moreThreads(view, job, start.width, room.free)
  if (!more) return
  room.free -= more.width - start.width
  start.width = more.width
  start.widthReason = 'WITHIN_RANGE'
}

/** Starts what may pass the head. */
function backfill(
  view: PlanView,
  queued: Iterator<QueuedJob>,
  rooms: readonly Room[],
  guard: Guard<Room> | null,
  starts: Start[],
): void {
  const { limit = DEFAULT_LIMIT, rankStep = 1 } = view
  if (!hasRoom(rooms, guard)) return
  const most = Math.max(...rooms.map(({ free }) => free))
  const candidates: Candidate[] = []
  for (let looked = 0; looked < limit; looked += 1) {
    const sized = nextSized(view, queued, rooms)
    if (!sized) break
    const least = isMoldable(sized.job) ? sized.job.gang : sized.width
    if (least <= most) candidates.push(predicted(view, sized))
    else view.onWait?.(sized.job, 'NOT_ENOUGH_FREE_THREADS')
  }
  // The sort is stable: those with nothing to tell them apart stay in order.
  if (view.predict && guard) candidates.sort((a, b) => peerOrder(a, b, rankStep))

  for (const candidate of candidates) {
    if (!hasRoom(rooms, guard)) return
    const chosen =
      passing(candidate, rooms, guard) ?? passing(narrower(view, candidate, rooms), rooms, guard)
    if (chosen) {
      const { room, candidate: at } = chosen
      starts.push(take(room, at, backfillReason(room, at.endAt, guard), guard))
    } else {
      const fits = bestFit(candidate.width, rooms) !== null
      view.onWait?.(candidate.job, fits ? 'WOULD_DELAY_HEAD' : 'NOT_ENOUGH_FREE_THREADS')
    }
  }
}

/** Where a job may pass the head, if anywhere. */
function passing(
  candidate: Candidate | null,
  rooms: readonly Room[],
  guard: Guard<Room> | null,
): { room: Room; candidate: Candidate } | null {
  if (!candidate) return null
  const { width, endAt } = candidate
  const mayLend = !guard || width <= guard.spare || endsInTime(endAt, guard)
  const room = bestFit(width, mayLend ? rooms : rooms.filter((other) => other !== guard.space))
  return room && { room, candidate }
}

/** The job on fewer threads than it prefers, where that is expected to end it sooner than if it waited. */
function narrower(view: PlanView, candidate: Candidate, rooms: readonly Room[]): Candidate | null {
  const { job, width } = candidate
  const fewer = isMoldable(job) ? fewerThreads(view, job, width, rooms) : null
  return (
    fewer && { job, width: fewer.width, widthReason: 'WITHIN_RANGE', endAt: view.now + fewer.ms }
  )
}

/** The next job that this node's workers could run at all. */
function nextSized(
  view: PlanView,
  queued: Iterator<QueuedJob>,
  rooms: readonly Room[],
): Sized | null {
  for (let next = queued.next(); !next.done; next = queued.next()) {
    const job = next.value
    const { width, widthReason } = gangHere(job, view.clusterMaxThreads, rooms)
    if (rooms.some(({ threads }) => threads >= width)) return { job, width, widthReason }
    view.onWait?.(job, 'ANOTHER_NODE')
  }
  return null
}

/** A moldable job takes a smaller node as it is. */
function gangHere(job: QueuedJob, clusterMaxThreads: number, rooms: readonly Room[]): Width {
  const given = gangFor(job, clusterMaxThreads)
  if (!isMoldable(job)) return given
  const width = Math.min(given.width, Math.max(0, ...rooms.map(({ threads }) => threads)))
  if (width === given.width || width < job.gang) return given
  return { width, widthReason: 'WITHIN_RANGE' }
}

const predicted = ({ now, predict }: PlanView, sized: Sized): Candidate => ({
  // Named one by one: this runs for every job that is looked at, and a spread costs five times as much.
  job: sized.job,
  width: sized.width,
  widthReason: sized.widthReason,
  endAt: now + (predict?.(sized.job, sized.width) ?? Infinity),
})

function peerOrder(a: Candidate, b: Candidate, rankStep: number): number {
  const steps = Math.floor(a.job.rank / rankStep) - Math.floor(b.job.rank / rankStep)
  if (steps !== 0 || a.endAt === b.endAt) return steps
  return a.endAt < b.endAt ? -1 : 1
}

function backfillReason(room: Room, endAt: number, guard: Guard<Room> | null): StartReason {
  if (room !== guard?.space) return 'OTHER_WORKER'
  return endsInTime(endAt, guard) ? 'ENDS_BEFORE_RESERVATION' : 'SPARE_THREADS'
}

function take(
  room: Room,
  { job, width, widthReason, endAt }: Candidate,
  reason: StartReason,
  guard: Guard<Room> | null,
): Start {
  room.free -= width
  room.occupied.push({ width, endAt })
  if (guard && guard.space === room && !endsInTime(endAt, guard)) guard.spare -= width
  return { id: job.id, workerName: room.name, width, widthReason, reason }
}

function roomOf(worker: PlannedWorker, now: number): Room {
  const occupied = worker.running.map(({ width, expectedEndAt }) => ({
    width,
    // A job that has outrun its prediction may end at any moment.
    endAt: expectedEndAt === null ? Infinity : Math.max(now, expectedEndAt),
  }))
  const used = occupied.reduce((sum, { width }) => sum + width, 0)
  return { name: worker.name, threads: worker.threads, free: worker.threads - used, occupied }
}

/** False when no job of any width could start, so that a long queue is not walked for nothing. */
const hasRoom = (rooms: readonly Room[], guard: Guard<Room> | null): boolean =>
  rooms.some(
    (room) =>
      room.free > 0 && (room !== guard?.space || guard.spare > 0 || guard.startAt < Infinity),
  )
