/**
 * Gangs that follow one on its threads. For a gang of most of a worker's threads these have to be free at once, and
 * those that are early idle. Once they are, the gangs that wait behind it get them after each other, before jobs of
 * fewer threads take them apart again.
 *
 * This bends the order between jobs of equal priority. Gangs keep theirs among each other, and nothing is taken past
 * one that cannot follow. So a job of fewer threads is passed by those of one order, for `FOLLOW_MS` at most: it is
 * passed only where that order takes the last gang before it.
 */
import { gangFor, isMoldable } from '../core/capacity.ts'
import { mostBytes } from '../core/estimate.ts'
import type { QueuedJob } from '../core/job.ts'
import type { Start } from '../core/plan.ts'

/** Expected work that follows a gang, and the most of the gang itself: behind a longer one they would wait too long. */
const FOLLOW_MS = 50
/** Payloads in one order: each of its gangs is sent all of them. */
const FOLLOW_BYTES = 64 * 1024
/** Jobs that are looked at, from the first of the queue on. */
const LOOK = 100

export interface FollowView {
  /** in order of rank, those that start included */
  queued: Iterable<QueuedJob>
  workers: readonly { name: string; threads: number }[]
  clusterMaxThreads: number
  /** how many may follow each gang */
  limit: number
  /** see `PlanView` */
  rankStep: number
  /** expected run time in ms; null where nothing is known */
  predict(job: QueuedJob, width: number): number | null
}

/** What starts on some threads. */
export interface Led {
  workerName: string
  width: number
  starts: Start[]
  /** expected run time of what follows the first, where it is a gang, ms */
  followMs: number
}

interface Leader {
  led: Led
  step: number
  bytes: number
}

/** Adds what follows them to those of `started`, by the ids of their jobs, that are gangs. */
export function followGangs(view: FollowView, started: ReadonlyMap<string, Led>): void {
  const leaders: Leader[] = []
  let looked = 0
  for (const job of view.queued) {
    if (looked >= LOOK) return
    looked += 1
    const step = Math.floor(job.rank / view.rankStep)
    const own = started.get(job.id)
    if (own) {
      if (leads(view, own, job)) leaders.push({ led: own, step, bytes: mostBytes(job) })
    } else if (gangFor(job, view.clusterMaxThreads).width > 1 || isMoldable(job)) {
      if (!follow(view, leaders, job)) return
    }
  }
}

/**
 * A short one that leaves too few threads for another beside it. That it starts in its turn goes without saying: what
 * it had passed would be a gang, and ends the walk before it.
 */
function leads(
  { workers, predict }: FollowView,
  { workerName, width }: Led,
  job: QueuedJob,
): boolean {
  const threads = workers.find(({ name }) => name === workerName)?.threads ?? Infinity
  const isWide = width > 1 && 2 * width > threads
  return isWide && !isMoldable(job) && (predict(job, width) ?? Infinity) <= FOLLOW_MS
}

function follow(view: FollowView, leaders: readonly Leader[], job: QueuedJob): boolean {
  const { width, widthReason } = gangFor(job, view.clusterMaxThreads)
  const ms = isMoldable(job) ? null : view.predict(job, width)
  if (ms === null) return false
  const step = Math.floor(job.rank / view.rankStep)
  const leader = leaders.find(
    ({ led, ...of }) =>
      led.width === width &&
      of.step === step &&
      led.starts.length <= view.limit &&
      led.followMs + ms <= FOLLOW_MS &&
      of.bytes + mostBytes(job) <= FOLLOW_BYTES,
  )
  if (!leader) return false
  const { led } = leader
  const { workerName } = led
  led.starts.push({ id: job.id, workerName, width, widthReason, reason: 'SAME_THREADS' })
  led.followMs += ms
  leader.bytes += mostBytes(job)
  return true
}
