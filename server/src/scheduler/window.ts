import type { Job } from '../core/job.ts'
import { createQueue, type Queue } from '../core/queue.ts'
import { compareRank } from '../core/rank.ts'

/**
 * This node's view of the best-ranked jobs in the table. The table is the truth: a job in the window may
 * have been taken by another node, in which case claiming it is refused and it is dropped.
 *
 * Invariant while not stale: every queued job that ranks before the horizon is in it, but for those this
 * node has taken out; a complete window holds them all. Planning on a stale window could pass over a better
 * job of another node, so a stale one is read again first. Size is bounded whatever the length of the queue.
 */
export interface Window {
  readonly queue: Queue<Job>
  /** true when nothing may be planned before the table has been read */
  isBlind(): boolean
  /** true when all that waits in the table is here, as far as can be known */
  isWhole(): boolean
  /** true when nothing waits in the table either, as far as can be known */
  isEmpty(): boolean
  /** true when more should be read before it is empty */
  runsLow(): boolean
  /**
   * Before the table is read: what is told from now on is newer than the rows will be. `claimed` are out of
   * the window, and perhaps still queued in the table. Tells after which job to read, null for all of them,
   * and how many at most.
   */
  startRefill(claimed?: readonly Job[]): { after: Job | null; limit: number }
  /** the rows just read, best first */
  refill(rows: Job[]): void
  /** jobs that were just put in the table by this node */
  offer(jobs: Job[]): void
  /** out of the window; undefined for one that is not in it */
  take(id: string): Job | undefined
  /** something changed in the table that this node cannot tell by itself */
  markStale(): void
}

/**
 * Rows of a window that is read again and again before many of its jobs were taken, as fair share makes it:
 * more than a plan looks at behind the head.
 */
const LEAST = 200

/** Of `capacity` rows when it is read; it grows to twice as many by what is offered. */
export function createWindow(capacity: number): Window {
  let queue = createQueue<Job>()
  let stale = true
  let complete = false
  /** rows asked for by the last read, and jobs taken since */
  let limit = capacity
  let taken = capacity
  /** the last of the window: beyond it there may be rows in the table that are not here */
  let horizon: Job | null = null
  /** the read under way: what came and went since it began, which its rows may not tell */
  let read: { offered: Job[]; gone: Set<string>; after: Job | null } | null = null

  const offer = (jobs: readonly Job[]): void => {
    for (const job of jobs) {
      if (complete || (horizon && compareRank(job, horizon) < 0)) queue.add(job)
    }
    trim()
  }

  const trim = (): void => {
    if (queue.size <= capacity * 2) return
    queue.keepBest(capacity)
    complete = false
    horizon = [...queue].at(-1) ?? null
  }

  return {
    get queue() {
      return queue
    },
    isBlind: () => stale || (!complete && queue.size === 0),
    isWhole: () => complete,
    isEmpty: () => complete && !stale && !read && queue.size === 0,
    runsLow: () => !complete && queue.size <= limit / 2,
    startRefill(claimed = []) {
      const after = stale ? null : horizon
      limit = after ? capacity : Math.min(capacity, Math.max(LEAST, 2 * taken))
      taken = 0
      const behind = after ? claimed.filter((job) => compareRank(job, after) > 0) : claimed
      read = { offered: [], gone: new Set(behind.map(({ id }) => id)), after }
      stale = false
      return { after, limit }
    },
    refill(rows) {
      if (!read) throw new Error('rows of a read that was not begun')
      const { offered, gone, after } = read
      read = null
      if (!after) queue = createQueue<Job>()
      for (const row of rows) if (!gone.has(row.id)) queue.add(row)
      complete = rows.length < limit
      horizon = rows.at(-1) ?? after
      offer(offered.filter(({ id }) => !gone.has(id)))
    },
    offer(jobs) {
      // One that comes back is no longer gone.
      for (const { id } of jobs) read?.gone.delete(id)
      read?.offered.push(...jobs)
      offer(jobs)
    },
    take(id) {
      read?.gone.add(id)
      const job = queue.get(id)
      if (!job) return undefined
      queue.remove(id)
      taken += 1
      return job
    },
    markStale() {
      stale = true
    },
  }
}
