/**
 * Small jobs share a message. A round trip to a thread costs some 70 µs and a claim some ms, which is
 * more than a tiny job runs: so, when every thread has work, a thread that starts a job expected to take
 * under a millisecond or two takes the ones behind it in the queue along, up to a few ms of work.
 *
 * This bends the order of the queue by no more than that: a job that arrives with a higher priority
 * waits for at most `BATCH_MS` longer. Jobs of unknown run time and gangs are never batched, and nothing
 * is taken past the first of them, so what waits with a reservation is never passed.
 */
import { gangFor } from '../core/capacity.ts'
import type { QueuedJob } from '../core/job.ts'
import type { Start } from '../core/plan.ts'

/** Expected run time below which a job may share a message. */
const SMALL_MS = 2
/** Expected work in one message. */
const BATCH_MS = 10
/** Jobs in one message, however small they are expected to be. */
const BATCH_JOBS = 500

export interface Batch {
  start: Start
  /** run after it on the same thread, in this order */
  followers: Start[]
}

export interface BatchesView {
  starts: readonly Start[]
  /** in order of rank, those of `starts` included */
  queued: Iterable<QueuedJob>
  clusterMaxThreads: number
  /** expected run time in ms; null where nothing is known */
  predict(job: QueuedJob, width: number): number | null
}

export function fillBatches({ starts, queued, clusterMaxThreads, predict }: BatchesView): Batch[] {
  const batches = new Map<string, Batch & { ms: number }>()
  for (const start of starts) batches.set(start.id, { start, followers: [], ms: Infinity })
  const open: (Batch & { ms: number })[] = []
  let turn = 0

  for (const job of queued) {
    const own = batches.get(job.id)
    const given = gangFor(job, clusterMaxThreads)
    const { width } = given
    const ms = width === 1 ? predict(job, width) : null
    const small = ms !== null && ms <= SMALL_MS
    if (own) {
      own.ms = small ? ms : Infinity
      if (small) open.push(own)
      continue
    }
    if (!small || open.length === 0) break
    // Dealt out like cards, so that the best-ranked of all go first on every thread.
    const batch = open[turn % open.length]
    if (!batch) break
    batch.followers.push({ ...batch.start, id: job.id, ...given })
    batch.ms += ms
    if (batch.ms >= BATCH_MS || batch.followers.length >= BATCH_JOBS - 1) {
      open.splice(turn % open.length, 1)
    } else turn += 1
  }
  return [...batches.values()].map(({ start, followers }) => ({ start, followers }))
}
