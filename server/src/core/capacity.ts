import type { WidthReason } from './job.ts'

/** A worker as placement sees it: `free` threads of `threads` in all. */
export interface WorkerSpace {
  name: string
  threads: number
  free: number
}

/** How wide a job runs. A gang is never split over workers, so one worker must have all of its threads. */
export interface Width {
  width: number
  widthReason: WidthReason
}

/** True for a job that may run on any number of threads from `gang` to `maxThreads`. */
export const isMoldable = (job: { maxThreads?: number | null }): boolean =>
  job.maxThreads !== null && job.maxThreads !== undefined

/**
 * The threads a job is given, all or none, as many as it prefers. A demand beyond every live worker of the
 * cluster falls back to one thread, for waiting would be for ever.
 */
export function gangFor(
  job: { gang: number; threadDemand: number; maxThreads?: number | null },
  clusterMaxThreads: number,
): Width {
  if (job.gang > clusterMaxThreads) return { width: 1, widthReason: 'NO_WORKER_LARGE_ENOUGH' }
  if (isMoldable(job)) {
    const width = Math.min(job.threadDemand, clusterMaxThreads)
    return { width, widthReason: width < job.threadDemand ? 'WITHIN_RANGE' : 'AS_DEMANDED' }
  }
  if (job.threadDemand > 1 && job.gang === 1) return { width: 1, widthReason: 'TYPE_NOT_PARALLEL' }
  return { width: job.gang, widthReason: 'AS_DEMANDED' }
}

/** True if some worker has `width` threads free now. */
export const fits = (width: number, workers: readonly WorkerSpace[]): boolean =>
  workers.some(({ free }) => free >= width)

/**
 * The worker that is left with the fewest free threads, which keeps the larger gaps whole for larger
 * jobs; the first of the list among equals, null where none has room. O(workers).
 */
export function bestFit<Space extends WorkerSpace>(
  width: number,
  workers: Iterable<Space>,
): Space | null {
  let best: Space | null = null
  for (const worker of workers) {
    if (worker.free >= width && (best === null || worker.free < best.free)) best = worker
  }
  return best
}
