/**
 * On how many threads a moldable job starts. It prefers a number; fewer than that are better where they
 * are expected to bring it to its end before it would get there by waiting, and more where they would
 * idle otherwise. O(range of its widths × running jobs).
 */
import type { QueuedJob } from './job.ts'
import { predictedOpening, type Space } from './reservation.ts'

export interface Mold {
  width: number
  /** expected run time on that many threads, ms */
  ms: number
}

export interface MoldView {
  now: number
  predict?: (job: QueuedJob, width: number) => number | null
  predictOn?: (job: QueuedJob, width: number) => number | null
}

/** For a job that does not fit now on the `width` it prefers; null where it had better wait. */
export function fewerThreads(
  { now, predict, predictOn }: MoldView,
  job: QueuedJob,
  width: number,
  spaces: readonly Space[],
): Mold | null {
  const most = Math.min(width - 1, Math.max(0, ...spaces.map(({ free }) => free)))
  const best = bestOf(job, job.gang, most, predictOn)
  if (!best) return null
  const opens = spaces
    .filter(({ threads }) => threads >= width)
    .map((space) => predictedOpening(width, space).startAt)
  const wholeEndsAt = Math.min(...opens) + (predict?.(job, width) ?? Infinity)
  return now + best.ms <= wholeEndsAt ? best : null
}

/** For a job that starts on `width` while `free` more threads have nobody to use them; null for no more. */
export function moreThreads(
  { predictOn }: MoldView,
  job: QueuedJob,
  width: number,
  free: number,
): Mold | null {
  // Fallen back to one thread: any number that it could have here is outside of its range.
  if (width < job.gang) return null
  const most = Math.min(job.maxThreads ?? 0, width + free)
  const best = bestOf(job, width, most, predictOn)
  return best && best.width > width ? best : null
}

/** The fewest threads among those that are expected to end it soonest. */
function bestOf(
  job: QueuedJob,
  least: number,
  most: number,
  predictOn: MoldView['predictOn'],
): Mold | null {
  let best: Mold | null = null
  for (let width = least; width <= most; width += 1) {
    const ms = predictOn?.(job, width) ?? null
    if (ms !== null && (!best || ms < best.ms)) best = { width, ms }
  }
  return best
}
