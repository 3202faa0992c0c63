import { HeddleError } from '../core/errors.ts'
import type { Job } from '../core/job.ts'
import type { QueueOrder } from '../core/rank.ts'
import type { Store } from '../store/open.ts'
import { retryFinished } from '../store/retry.ts'

/** Puts an ended job back in the queue. JOB_NOT_FOUND, JOB_NOT_FINISHED, STORE_UNAVAILABLE */
export async function retryJob(store: Store, id: string, order: QueueOrder): Promise<Job> {
  const job = await retryFinished(store, id, order)
  if (job === 'missing') throw new HeddleError('JOB_NOT_FOUND', `No job has the id ${id}`)
  if (job === 'active') {
    throw new HeddleError('JOB_NOT_FINISHED', `Job ${id} has not ended yet`, {
      hint: 'Only ended jobs can be retried',
    })
  }
  return job
}
