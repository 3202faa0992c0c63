import type { Worker } from '../workers/worker.ts'
import type { Running, StopReason } from './running.ts'

export interface StopJobsOptions {
  running: Pick<Running, 'byId'>
  workers(): ReadonlyMap<string, Pick<Worker, 'cancel'>>
  /** remembers the wish for those of them that are being claimed this moment */
  stopWhenStarted(ids: readonly string[]): void
}

/** Asks jobs of this node to stop; they end shortly after. Tells the ids of those that do not run here. */
export type StopJobs = (ids: readonly string[], reason: StopReason) => string[]

export function createStopJobs(options: StopJobsOptions): StopJobs {
  return (ids, reason) => {
    if (ids.length === 0) return []
    const running = options.running.byId()
    const elsewhere: string[] = []
    const perWorker = new Map<string, string[]>()
    for (const id of ids) {
      const entry = running.get(id)
      if (!entry) {
        elsewhere.push(id)
        continue
      }
      entry.stopReason ??= reason
      if (reason === 'cancel') entry.job = { ...entry.job, cancelRequested: true }
      const { workerName } = entry.slot
      const own = perWorker.get(workerName)
      if (own) own.push(id)
      else perWorker.set(workerName, [id])
    }
    for (const [name, own] of perWorker) options.workers().get(name)?.cancel(own)
    if (reason === 'cancel') options.stopWhenStarted(elsewhere)
    return elsewhere
  }
}
