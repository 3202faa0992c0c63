import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from './open.ts'
import { run } from './run.ts'

/** A fresh count is made at most this often while there seems to be room. */
const RECOUNT_MS = 1_000
/** Counting may take this share of the time: a count of 5 million rows takes half a second. */
const MAX_SHARE = 0.1

interface Count {
  /** at the last look, plus what this node stored since */
  jobs: number
  at: number
  tookMs: number
  running: Promise<void> | null
}

const counts = new WeakMap<Store, Count>()

/**
 * Whether `more` jobs fit under the limit. The table is not counted per call: the last count and what this
 * node added since stand for it, so several nodes together may pass the limit by what they store in a
 * second. A batch is refused only on a fresh count.
 */
export async function roomInQueue(store: Store, more: number, limit: number): Promise<boolean> {
  const count = counts.get(store) ?? { jobs: 0, at: -Infinity, tookMs: 0, running: null }
  counts.set(store, count)
  const age = performance.now() - count.at
  if (count.at === -Infinity) await recount(store, count)
  else if (age > Math.max(RECOUNT_MS, count.tookMs / MAX_SHARE)) {
    recount(store, count).catch(() => {}) // the insert itself will say what is wrong
  }
  if (count.jobs + more > limit) {
    // As long as the last count took: a full queue that many try to get into is not counted without pause.
    await sleep(Math.max(0, count.at + count.tookMs - performance.now()))
    await recount(store, count)
  }
  if (count.jobs + more > limit) return false
  count.jobs += more
  return true
}

/** One at a time; callers share it. */
function recount(store: Store, count: Count): Promise<void> {
  count.running ??= (async () => {
    const startedAt = performance.now()
    const before = count.jobs
    const [row] = await run<{ jobs: number }>(store.pool, {
      text: 'SELECT count(*)::float8 AS jobs FROM job',
    })
    // Batches that were let in meanwhile may or may not have been seen: they count.
    const addedMeanwhile = count.at === -Infinity ? 0 : Math.max(0, count.jobs - before)
    count.jobs = (row?.jobs ?? 0) + addedMeanwhile
    count.at = performance.now()
    count.tookMs = count.at - startedAt
  })().finally(() => (count.running = null))
  return count.running
}
