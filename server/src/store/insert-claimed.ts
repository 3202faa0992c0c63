import type { Claim, Claimed } from './claim.ts'
import type { InsertResult, NewJob } from './insert.ts'
import {
  newColumns,
  newRowColumns,
  newRowFunctions,
  newRowParameters,
  newRowValue,
  newRowValueParameters,
  newValues,
} from './new-rows.ts'
import type { Store } from './open.ts'
import { plainArray, textArray } from './parameters.ts'
import { roomInQueue } from './queue-room.ts'
import { claimedJob, epochUs } from './rows.ts'
import { run, type Statement } from './run.ts'

/** Claims that are made by the statement that stores their jobs. */
export interface FirstClaims {
  nodeId: string
  /** of jobs in the batch */
  claims: readonly Claim[]
}

export interface Inserted {
  results: InsertResult[]
  /** what was claimed, in the order of the claims */
  claimed: Claimed[]
}

// The lock on the node's own row is the fence against rescue, as in `claim.ts`. Where the lease is gone the
// jobs are stored all the same, to wait in the queue.
const statementOf = (name: string, rows: string): Statement => ({
  name,
  text: `WITH lease AS MATERIALIZED (
    SELECT id AS holder FROM node WHERE id = $21 FOR KEY SHARE
  ), input AS (
    SELECT new.*, lease.holder
    FROM ${rows} AS new (${newRowColumns}, worker_name, width, width_reason)
    LEFT JOIN lease ON new.width IS NOT NULL
  ), stored AS (
    INSERT INTO job (${newColumns}, state, attempt, node_id, worker_name, width, width_reason, started_at)
    SELECT ${newValues}, CASE WHEN holder IS NULL THEN state::job_state ELSE 'RUNNING' END,
      CASE WHEN holder IS NULL THEN attempt ELSE attempt + 1 END, holder,
      CASE WHEN holder IS NOT NULL THEN worker_name END,
      CASE WHEN holder IS NOT NULL THEN width END,
      CASE WHEN holder IS NOT NULL THEN width_reason END,
      CASE WHEN holder IS NOT NULL THEN clock_timestamp() END
    FROM input
    RETURNING id, started_at
  )
  SELECT id, ${epochUs('started_at')} AS started_us FROM stored WHERE started_at IS NOT NULL`,
})
const insertMany = statementOf(
  'insert-claimed',
  `ROWS FROM (${newRowFunctions}, unnest($22::text[], $23::int[], $24::text[]))`,
)
const insertOne = statementOf(
  'insert-one-claimed',
  `(VALUES (${newRowValue}, $22::text, $23::int, $24::text))`,
)

/**
 * Stores jobs of which a node starts some at once: one commit where an insert and a claim would be two. Jobs
 * with idempotency keys are not for it. QUEUE_FULL for all of them, or none. STORE_UNAVAILABLE.
 */
export async function insertClaimedJobs(
  store: Store,
  jobs: readonly NewJob[],
  { queueLimit, nodeId, claims }: FirstClaims & { queueLimit: number },
): Promise<Inserted> {
  if (!(await roomInQueue(store, jobs.length, queueLimit)))
    return { results: jobs.map(() => ({ error: 'QUEUE_FULL' })), claimed: [] }
  const rows = await run<{ id: string; started_us: number }>(
    store.hot,
    ...statementFor(jobs, nodeId, claims),
  )
  const payloads = new Map(jobs.map(({ job, payload }) => [job.id, payload]))
  const starts = new Map(rows.map(({ id, started_us: startedUs }) => [id, startedUs]))
  const claimed = claims.flatMap((given): Claimed[] => {
    const startedUs = starts.get(given.job.id)
    const payload = payloads.get(given.job.id)
    if (startedUs === undefined || payload === undefined) return []
    return [{ job: claimedJob(given.job, nodeId, given, startedUs), payload }]
  })
  return { results: jobs.map(({ job }) => ({ job, created: true })), claimed }
}

function statementFor(
  jobs: readonly NewJob[],
  nodeId: string,
  claims: readonly Claim[],
): [Statement, unknown[]] {
  const asked = new Map(claims.map((each) => [each.job.id, each]))
  const each = jobs.map(({ job }) => asked.get(job.id))
  const [job] = jobs
  if (job && jobs.length === 1) {
    const [claim] = each
    const { workerName = null, width = null, widthReason = null } = claim ?? {}
    return [insertOne, [...newRowValueParameters(job), nodeId, workerName, width, widthReason]]
  }
  return [
    insertMany,
    [
      ...newRowParameters(jobs),
      nodeId,
      textArray(each.map((claim) => claim?.workerName ?? null)),
      plainArray(each.map((claim) => claim?.width ?? null)),
      textArray(each.map((claim) => claim?.widthReason ?? null)),
    ],
  ]
}
