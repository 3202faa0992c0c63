import { asExpected, type Estimator } from '../core/estimate.ts'
import type { Store } from '../store/open.ts'
import type { WorkResult } from '../workers/worker.ts'
import type { Order, Running } from './running.ts'
import type { EndedRun, Settler } from './settle.ts'

export interface FinishOptions {
  store: Pick<Store, 'clock'>
  running: Running
  estimator: Estimator
  settler: Settler
}

/**
 * Results as they come from the workers: each leaves `running` for the settler in the same turn, and what it
 * says of run times is learnt. One that nobody waits for is dropped.
 */
export function createFinish({ store, running, estimator, settler }: FinishOptions) {
  return (results: readonly WorkResult[]): void => {
    const endedRuns: EndedRun[] = []
    const now = store.clock.now()
    let order: Order | undefined
    for (const result of results) {
      if (order?.id !== result.order) order = running.order(result.order)
      const entry = order?.jobs[result.place]
      if (!entry || entry.ended) continue
      if (result.outcome.kind === 'completed') {
        const runMs = result.finishedAt - result.startedAt
        estimator.learn(asExpected(entry.job, entry.slot.width), runMs)
      }
      // What waited for a thread in vain is not sent there again.
      if (result.outcome.kind === 'interrupted') entry.slot.takesNext = false
      running.remove(entry, now)
      endedRuns.push({ entry, result })
    }
    settler.settle(endedRuns)
  }
}
