import type { Job } from '../core/job.ts'
import { isPlainCompletion, type Settlement } from '../core/transition.ts'
import { completeJobs } from './complete.ts'
import { rerollLate } from './metrics.ts'
import { moveJobs } from './move.ts'
import type { Store } from './open.ts'

export type { Settlement }

/**
 * Applies the outcomes of attempts that ran under `nodeId`'s lease. `refused` are those whose lease is
 * gone: somebody else decides about these jobs now, and nothing was changed. A job that was to be cancelled
 * comes back CANCELLED where it would have returned to the queue. STORE_UNAVAILABLE; then it is unknown what
 * was applied, and settling again is safe.
 */
export async function settleJobs(
  store: Store,
  nodeId: string,
  settlements: Settlement[],
): Promise<{ settled: Job[]; refused: string[] }> {
  const settled = settlements.every(isPlainCompletion)
    ? await completeJobs(store, nodeId, settlements)
    : await moveJobs(store, settlements, () => nodeId)
  await rerollLate(store, settled)
  if (settled.length === settlements.length) return { settled, refused: [] }
  const done = new Set(settled.map(({ id }) => id))
  return { settled, refused: settlements.map(({ id }) => id).filter((id) => !done.has(id)) }
}
