import { asExpected, type Estimator } from '../core/estimate.ts'
import type { Store } from '../store/open.ts'
import type { WorkResult } from '../workers/worker.ts'
import type { Running } from './running.ts'
import type { EndedRun, Settler } from './settle.ts'

export interface FinishOptions {
  store: Pick<Store, 'clock'>
  running: Running
  estimator: Estimator
  settler: Settler
}

/**
 * Results as they come from the workers: each leaves `running` for the settler in the same turn, and what it
 * says of run times is learnt. One that nobody waits for, of a job that has been moved on since, is dropped.
 */
export function createFinish({ store, running, estimator, settler }: FinishOptions) {
  return (results: readonly WorkResult[]): void => {
    const endedRuns: EndedRun[] = []
    const now = store.clock.now()
    for (const result of results) {
      const entry = running.get(result.jobId)
      if (!entry || entry.job.attempt !== result.attempt) continue
      if (result.outcome.kind === 'completed') {
        const runMs = result.finishedAt - result.startedAt
        estimator.learn(asExpected(entry.job, entry.slot.width), runMs)
      }
      // What waited for a thread in vain is not sent there again.
      if (result.outcome.kind === 'interrupted') entry.slot.takesNext = false
      running.remove(result.jobId, now)
      endedRuns.push({ entry, result })
    }
    settler.settle(endedRuns)
  }
}
