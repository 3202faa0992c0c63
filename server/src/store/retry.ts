import type { Job } from '../core/job.ts'
import { findJobs } from './find.ts'
import type { Store } from './open.ts'
import { jobColumns, movedColumns, toJob, type JobRow } from './rows.ts'
import { run, type Statement } from './run.ts'

const columns = movedColumns(
  ...(['width', 'width_reason', 'max_attempts', 'run_at'] as const),
  ...(['started_at', 'node_id', 'worker_name'] as const),
)

const retry: Statement = {
  text: `WITH ended AS (DELETE FROM job_history WHERE id = $1 RETURNING *)
    INSERT INTO job (${columns}, state, run_at, max_attempts)
    SELECT ${columns}, 'QUEUED', clock_timestamp(), greatest(max_attempts, attempt + 1) FROM ended
    RETURNING ${jobColumns()}`,
}

/** Puts an ended job back in the queue under its id, with room for one more attempt at least. STORE_UNAVAILABLE. */
export async function retryFinished(store: Store, id: string): Promise<Job | 'missing' | 'active'> {
  const [row] = await run<JobRow>(store.pool, retry, [id])
  if (row) return toJob(row)
  return (await findJobs(store, [id])).size > 0 ? 'active' : 'missing'
}
