import type { QueuedJob } from '../core/job.ts'
import { createQueue, type Queue } from '../core/queue.ts'
import { compareRank } from '../core/rank.ts'

/**
 * This node's view of the best-ranked jobs in the table. The table is the truth: a job in the window may
 * have been taken by another node, in which case claiming it is refused and it is dropped.
 *
 * Invariant while not stale: every queued job that ranks before the window's last one is in it, and a
 * complete window holds them all. Planning on a stale window could pass over a better job of another
 * node, so a stale one is read again first. Size is bounded whatever the length of the queue.
 */
export interface Window {
  readonly queue: Queue
  /** true when planning needs a fresh look at the table */
  needsRefill(): boolean
  /** before the table is read: what is told from now on is newer than the rows will be */
  startRefill(): void
  /** the rows just read, best first, at most `limit` asked for */
  refill(rows: QueuedJob[], limit: number): void
  /** jobs that were just put in the table by this node */
  offer(jobs: QueuedJob[]): void
  remove(id: string): void
  /** something changed in the table that this node cannot tell by itself */
  markStale(): void
}

export function createWindow(capacity: number): Window {
  let queue = createQueue()
  let stale = true
  let complete = false
  /** the last of the window: beyond it there may be rows in the table that are not here */
  let horizon: QueuedJob | null = null
  /** offered since the read under way began: its rows may not have them; null while none is, or it is void */
  let newer: QueuedJob[] | null = null

  const offer = (jobs: readonly QueuedJob[]): void => {
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
    needsRefill: () => stale || (!complete && queue.size === 0),
    startRefill() {
      stale = false
      newer = []
    },
    refill(rows, limit) {
      queue = createQueue()
      for (const row of rows) queue.add(row)
      complete = rows.length < limit
      horizon = rows.at(-1) ?? null
      offer(newer ?? [])
      newer = null
    },
    offer(jobs) {
      newer?.push(...jobs)
      offer(jobs)
    },
    remove: (id) => void queue.remove(id),
    markStale() {
      stale = true
      newer = null
    },
  }
}
