import type { Job } from '../core/job.ts'
import type { QueueOrder } from '../core/rank.ts'
import { findJobs } from './find.ts'
import type { Store } from './open.ts'
import { allAttempts, jobColumns, movedColumns, toJob, type JobRow } from './rows.ts'
import { run, type Statement } from './run.ts'

const columns = movedColumns(
  ...(['width', 'width_reason', 'max_attempts', 'run_at', 'rank', 'fairness_key'] as const),
  ...(['attempts', 'started_at', 'node_id', 'worker_name'] as const),
)

const retry: Statement = {
  text: `WITH ended AS (DELETE FROM job_history WHERE id = $1 RETURNING *)
    INSERT INTO job (${columns}, attempts, state, run_at, max_attempts, rank, fairness_key, fair_cost_ms)
    SELECT ${columns}, ${allAttempts('ended')}, 'QUEUED', clock_timestamp(), greatest(max_attempts, attempt + 1),
      CASE WHEN $2 THEN heddle_parked_rank(priority, clock_timestamp(), $3) ELSE rank END,
      CASE WHEN $2 THEN coalesce(fairness_key, '') ELSE fairness_key END,
      CASE WHEN $2 THEN coalesce(execution_time_ms * width, gang * 100) END
    FROM ended
    RETURNING ${jobColumns()}`,
}

/**
 * Puts an ended job back in the queue under its id, with room for one more attempt at least: in its old
 * place, or, where fair share is on, behind its key's others. STORE_UNAVAILABLE.
 */
export async function retryFinished(
  store: Store,
  id: string,
  { fairShare, agingMs }: QueueOrder,
): Promise<Job | 'missing' | 'active'> {
  const [row] = await run<JobRow>(store.pool, retry, [id, fairShare, agingMs])
  if (row) return toJob(row)
  return (await findJobs(store, [id])).size > 0 ? 'active' : 'missing'
}
