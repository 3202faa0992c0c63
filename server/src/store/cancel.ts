import type { Job } from '../core/job.ts'
import { correctCharges } from './fair-share.ts'
import { findEnded } from './find.ts'
import type { Store } from './open.ts'
import { historyColumns, jobColumns, movedColumns, toJob, type JobRow } from './rows.ts'
import { run, type Statement } from './run.ts'

export interface CancelResult {
  /** had not started: ended now */
  cancelled: Job[]
  /** run: marked, for their nodes to stop */
  stopping: Job[]
  /** had ended before */
  finished: Job[]
  missing: string[]
}

const moved = movedColumns()

// The rows are locked first, in order of ids: what happens to each is decided on its state under the lock.
const lock = `WITH wanted AS MATERIALIZED (
    SELECT id, state FROM job WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
  )`

// What earlier attempts of a job used stays charged.
const cancelWaiting: Statement = {
  text: `${lock}, ended AS (
    DELETE FROM job USING wanted WHERE job.id = wanted.id AND wanted.state <> 'RUNNING'
    RETURNING job.*, clock_timestamp() AS finished_at, 0 AS used_ms
  ), ${correctCharges("state = 'QUEUED' AND attempt = 0")}
  INSERT INTO job_history (${moved}, state, finished_at, queue_time_ms, total_time_ms)
  SELECT ${moved}, 'CANCELLED', finished_at, NULL,
    greatest(0, date_part('epoch', finished_at - created_at) * 1e3)
  FROM ended RETURNING ${historyColumns()}`,
}
const markRunning: Statement = {
  text: `${lock}
  UPDATE job SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
  FROM wanted WHERE job.id = wanted.id AND wanted.state = 'RUNNING'
  RETURNING ${jobColumns()}`,
}

/** A job may change hands between two looks this often before it is called missing. */
const MAX_LOOKS = 3

/** Ends jobs that wait, marks those that run. Each id is in exactly one of the lists. STORE_UNAVAILABLE. */
export async function requestCancel({ pool }: Store, ids: string[]): Promise<CancelResult> {
  const result: CancelResult = { cancelled: [], stopping: [], finished: [], missing: [] }
  let left = [...new Set(ids)]
  const take = (into: Job[], jobs: Job[]): void => {
    into.push(...jobs)
    const found = new Set(jobs.map(({ id }) => id))
    left = left.filter((id) => !found.has(id))
  }
  for (let look = 0; look < MAX_LOOKS && left.length > 0; look += 1) {
    take(result.cancelled, (await run<JobRow>(pool, cancelWaiting, [left])).map(toJob))
    if (left.length > 0) {
      take(result.stopping, (await run<JobRow>(pool, markRunning, [left])).map(toJob))
    }
    if (left.length > 0) take(result.finished, await findEnded(pool, left))
  }
  return { ...result, missing: left }
}
