/**
 * What is taken along with the jobs that a plan starts, so that threads do not wait for claims and messages
 * between short jobs: a round trip to a thread costs some 70 µs and a claim some ms.
 *
 * Small jobs share a message, up to a few ms of work. A thread whose work is expected to be over soon gets
 * what comes next before it has ended; until it begins with that, it can be called back.
 *
 * This bends the order of the queue by no more than that: a job that arrives with a higher priority waits for
 * at most `AHEAD_MS` longer, where what comes next cannot be called back in time. Gangs and jobs of unknown or
 * long run times are not taken along, and nothing is taken past the first of them, so what waits with a
 * reservation is never passed, but by gangs that follow one on its threads (`follow.ts`).
 */
import { gangFor } from '../core/capacity.ts'
import { mostBytes } from '../core/estimate.ts'
import type { Start } from '../core/plan.ts'
import { followGangs, type FollowView, type Led } from './follow.ts'
import type { Slot } from './running.ts'

/** Expected run time up to which a job may share a message. */
const SMALL_MS = 5
/** Expected work in one message. */
const BATCH_MS = 10
/** Payloads in one message: all of them are parsed, in some 20 ms, before its first job runs. */
const BATCH_BYTES = 4 * 1024 * 1024
/** Jobs in one message, however small they are expected to be. */
const BATCH_JOBS = 1000
/** Expected work in what comes next on a thread: one job, or shorter ones up to as much. */
const AHEAD_MS = 50

export interface Batch extends Led {
  /** expected run time of all of it, ms; Infinity where it is not known, and for gangs: nothing comes next there */
  ms: number
  /** threads at work, after whose jobs it comes; none where it starts at once */
  behind: Slot | undefined
}

interface Filling extends Batch {
  /** of its first job, in steps of priority */
  step: number
  /** of payloads, at most */
  bytes: number
  /** jobs, at most */
  limit: number
}

export interface BatchesView extends Omit<FollowView, 'limit' | 'rankStep'> {
  starts: readonly Start[]
  /** threads at work that may be given what comes next */
  busy?: Iterable<Slot>
  /** how many jobs may come next on each of them, or follow a gang that starts; none where not given */
  nextLimit?: number
  /** see `PlanView` */
  rankStep?: number
}

const isFull = ({ ms, bytes, starts, behind, limit }: Filling): boolean =>
  ms >= (behind ? AHEAD_MS : BATCH_MS) || bytes >= BATCH_BYTES || starts.length >= limit

export function fillBatches(view: BatchesView): Batch[] {
  const { starts, queued, clusterMaxThreads, predict, busy = [] } = view
  const { workers, nextLimit = 0, rankStep = 1 } = view
  const started = new Map<string, Filling>()
  for (const start of starts) {
    const batch = empty(start, BATCH_JOBS)
    batch.starts.push(start)
    batch.ms = Infinity
    started.set(start.id, batch)
  }
  const mostNext = Math.min(BATCH_JOBS, nextLimit)
  const following = [...busy].map((slot) => empty(slot, mostNext, slot))
  deal({ queued, clusterMaxThreads, predict, rankStep }, started, following)
  if (starts.some(({ width }) => width > 1)) {
    const limit = nextLimit
    followGangs({ queued, workers, clusterMaxThreads, limit, rankStep, predict }, started)
  }
  return [...started.values(), ...following.filter(({ starts: some }) => some.length > 0)]
}

// Apart from what is made ready for it, and given an object of one shape: V8 compiled both together, 60 ms each time,
// and threw it away when a list or a view was of another kind.
function deal(
  {
    queued,
    clusterMaxThreads,
    predict,
    rankStep,
  }: Pick<BatchesView, 'queued' | 'clusterMaxThreads' | 'predict'> & { rankStep: number },
  started: ReadonlyMap<string, Filling>,
  following: readonly Filling[],
): void {
  const free = createDeal()
  const atWork = createDeal()
  for (const batch of following) atWork.open(batch)

  for (const job of queued) {
    const { width, widthReason } = gangFor(job, clusterMaxThreads)
    const ms = width === 1 ? predict(job, width) : null
    const own = started.get(job.id)
    if (own) {
      own.ms = ms ?? Infinity
      own.bytes = mostBytes(job)
      if (own.ms <= SMALL_MS) free.open(own)
      continue
    }
    if (ms === null) break
    const small = ms <= SMALL_MS ? free.next() : undefined
    const step = Math.floor(job.rank / rankStep)
    const batch = small ?? atWork.next({ ms, step })
    if (!batch) break
    const { workerName } = batch
    if (batch.starts.length === 0) batch.step = step
    batch.starts.push({ id: job.id, workerName, width, widthReason, reason: 'IN_ORDER' })
    batch.ms += ms
    batch.bytes += mostBytes(job)
  }
}

// Of one shape, whatever it is for: with several, what is compiled for one was thrown away for the next.
const empty = (
  { workerName, width }: Pick<Batch, 'workerName' | 'width'>,
  limit: number,
  behind?: Slot,
): Filling => ({
  ...{ workerName, width, starts: [], ms: 0, followMs: 0 },
  ...{ behind, step: 0, bytes: 0, limit },
})

/** A long job comes next alone. And only peers do together: one of them is never passed by what comes meanwhile. */
const mayComeNext = ({ ms, step }: { ms: number; step: number }, hand: Filling): boolean =>
  hand.starts.length === 0 || (ms <= AHEAD_MS && hand.step === step)

/** Batches with room, dealt to in turn like cards, so that the best-ranked jobs go first on every thread. */
function createDeal() {
  const hands: Filling[] = []
  let turn = 0
  return {
    open: (batch: Filling) => void hands.push(batch),
    /** for any small job, or for `next` to come next */
    next(next?: { ms: number; step: number }): Filling | undefined {
      while (hands.length > 0) {
        const at = turn % hands.length
        const hand = hands[at]
        if (hand && !isFull(hand) && (!next || mayComeNext(next, hand))) {
          turn = at + 1
          return hand
        }
        hands.splice(at, 1)
        turn = at
      }
      return undefined
    },
  }
}
