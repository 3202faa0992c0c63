import type { Job, WidthReason } from '../core/job.ts'
import type { Store } from './open.ts'
import { plainArray, textArray } from './parameters.ts'
import { jobColumns, toJob, type JobRow } from './rows.ts'
import { run, type Statement } from './run.ts'

export interface Start {
  id: string
  workerName: string
  width: number
  widthReason: WidthReason
}

// The state is compared as text, so that the planner cannot answer from the index of queued jobs, walking
// all of them for these few: 6,000 jobs/s instead of 60,000 with 100,000 queued.
//
// The lock on the node's own row is the fence against rescue: it deletes that row before it looks for the
// node's jobs, so a claim either is seen by it or finds its lease gone and starts nothing.
const claim: Statement = {
  name: 'claim',
  text: `WITH lease AS MATERIALIZED (
    SELECT id FROM node WHERE id = $1 FOR KEY SHARE
  ), start AS (
    SELECT * FROM unnest($2::uuid[], $3::text[], $4::int[], $5::text[])
      AS t (id, worker_name, width, width_reason)
  ), free AS MATERIALIZED (
    SELECT id FROM job
    WHERE id = ANY($2::uuid[]) AND state::text = 'QUEUED' AND cancel_requested_at IS NULL
      AND EXISTS (SELECT 1 FROM lease)
    FOR UPDATE SKIP LOCKED
  )
  UPDATE job SET state = 'RUNNING', node_id = $1, attempt = attempt + 1, width = start.width,
    width_reason = start.width_reason, worker_name = start.worker_name, started_at = clock_timestamp()
  FROM free JOIN start USING (id) WHERE job.id = free.id
  RETURNING ${jobColumns()}, job.payload::text AS payload_text`,
}

/**
 * Takes jobs for a node: QUEUED → RUNNING under its lease, attempt + 1. Jobs that somebody else took, that
 * were cancelled, or all of them where the lease is gone, are absent from the answer. STORE_UNAVAILABLE.
 */
export async function claimJobs(
  store: Store,
  nodeId: string,
  starts: Start[],
): Promise<{ job: Job; payload: string }[]> {
  if (starts.length === 0) return []
  const rows = await run<JobRow & { payload_text: string }>(store.pool, claim, [
    nodeId,
    plainArray(starts.map(({ id }) => id)),
    textArray(starts.map(({ workerName }) => workerName)),
    plainArray(starts.map(({ width }) => width)),
    plainArray(starts.map(({ widthReason }) => widthReason)),
  ])
  return rows.map((row) => ({ job: toJob(row), payload: row.payload_text }))
}
