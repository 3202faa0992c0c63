import { heldJobs } from '../store/held.ts'
import type { Store } from '../store/open.ts'
import type { Running } from './running.ts'
import type { Settler } from './settle.ts'

/**
 * Gives back jobs that stand under this node's lease without it knowing of them: a claim whose answer
 * was lost on the way may have been committed.
 */
export async function reconcile(
  store: Store,
  leaseId: string,
  { running, settler }: { running: Running; settler: Settler },
): Promise<void> {
  const now = performance.timeOrigin + performance.now()
  const held = await heldJobs(store, leaseId)
  const unknown = held.filter(({ id }) => !running.get(id) && !settler.isPending(id))
  settler.settle(
    unknown.map((job) => ({
      entry: { job, leaseId, stopReason: null },
      result: {
        jobId: job.id,
        attempt: job.attempt,
        outcome: { kind: 'interrupted' },
        startedAt: now,
        finishedAt: now,
      },
    })),
  )
}
