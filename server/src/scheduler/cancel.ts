import type { Bus } from '../bus/bus.ts'
import { HeddleError } from '../core/errors.ts'
import type { Job } from '../core/job.ts'
import { requestCancel } from '../store/cancel.ts'
import type { Store } from '../store/open.ts'

export interface CancelOptions {
  store: Store
  bus: Bus
  /** these ended without having started */
  onCancelled(jobs: Job[]): void
  /** These run somewhere and were marked. Tells the ids of those that do not run here. */
  onStopping(jobs: Job[]): string[]
}

/**
 * Ends jobs that wait and tells running ones to stop, wherever they run. What can be cancelled is, then
 * JOB_NOT_FOUND or JOB_FINISHED tells of the first that could not. STORE_UNAVAILABLE.
 */
export async function cancelJobs(ids: string[], options: CancelOptions): Promise<Job[]> {
  const { cancelled, stopping, missing, finished } = await requestCancel(options.store, ids)
  options.onCancelled(cancelled)
  const elsewhere = options.onStopping(stopping)
  if (elsewhere.length > 0) options.bus.publish('cancel', { ids: elsewhere })

  const [gone] = missing
  if (gone !== undefined) throw new HeddleError('JOB_NOT_FOUND', `No job has the id ${gone}`)
  const [over] = finished
  if (over) {
    throw new HeddleError('JOB_FINISHED', `Job ${over.id} has already ended as ${over.state}`, {
      hint: 'Only jobs that are scheduled, queued or running can be cancelled',
    })
  }
  const byId = new Map([...cancelled, ...stopping].map((job) => [job.id, job]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}
