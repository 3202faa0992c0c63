import type { Job, WidthReason } from '../core/job.ts'
import type { Store } from './open.ts'
import { plainArray, textArray } from './parameters.ts'
import { claimedJob, timestamp } from './rows.ts'
import { runTuples, type Queryable, type Statement } from './run.ts'

export interface Claim {
  /** as it stands in the queue */
  job: Job
  workerName: string
  width: number
  widthReason: WidthReason
}

/** A job that now runs under the node's lease. */
export interface Claimed {
  job: Job
  /** JSON text */
  payload: string
}

// The state is compared in `coalesce`, so that the planner cannot answer from the index of queued jobs, walking
// all of them for these few: 6,000 jobs/s instead of 60,000 with 100,000 queued. And it expects half of all rows
// to fit: see `lease.ts`. Rows are locked as they are updated, in order of ids; locking them first (FOR UPDATE
// SKIP LOCKED) took 23 µs of CPU a job in place of 16. A node that wants rows which another is claiming waits for
// that claim, and is refused them.
//
// The lock on the node's own row is the fence against rescue: it deletes that row before it looks for the
// node's jobs, so a claim either is seen by it or finds its lease gone and starts nothing.
const claim: Statement = {
  name: 'claim',
  text: `WITH lease AS MATERIALIZED (
    SELECT id FROM node WHERE id = $1 FOR KEY SHARE
  )
  UPDATE job SET state = 'RUNNING', node_id = $1, attempt = job.attempt + 1, width = start.width,
    width_reason = start.width_reason, worker_name = start.worker_name, started_at = ${timestamp('$7::float8')}
  FROM unnest($2::uuid[], $3::int[], $4::text[], $5::int[], $6::text[]) WITH ORDINALITY
    AS start (id, attempt, worker_name, width, width_reason, place)
  WHERE job.id = start.id AND job.attempt = start.attempt AND EXISTS (SELECT 1 FROM lease)
    AND coalesce(job.state = 'QUEUED' AND cancel_requested_at IS NULL, false)
  RETURNING start.place::int, job.payload::text`,
}

/**
 * Takes jobs for a node: QUEUED → RUNNING under its lease, attempt + 1. Jobs that somebody else took or
 * tried since they were looked at, that were cancelled, or all of them where the lease is gone, are absent
 * from the answer, which is in the order of the claims. STORE_UNAVAILABLE.
 */
export async function claimJobs(
  store: Pick<Store, 'clock'> & { hot: Queryable },
  nodeId: string,
  claims: readonly Claim[],
): Promise<Claimed[]> {
  if (claims.length === 0) return []
  const startedUs = Math.round(store.clock.now() * 1e3)
  const inOrder = inOrderOfIds(claims)
  const rows = await runTuples<ClaimedRow>(store.hot, claim, [
    nodeId,
    plainArray(inOrder.map(({ claim: { job } }) => job.id)),
    plainArray(inOrder.map(({ claim: { job } }) => job.attempt)),
    textArray(inOrder.map(({ claim: { workerName } }) => workerName)),
    plainArray(inOrder.map(({ claim: { width } }) => width)),
    plainArray(inOrder.map(({ claim: { widthReason } }) => widthReason)),
    startedUs / 1e3,
  ])
  return toClaimed(rows, inOrder, { nodeId, startedUs })
}

interface Asked {
  claim: Claim
  /** its place in what was asked for */
  at: number
}

/** As everything that locks several jobs, so that two of them never wait for each other. */
export function inOrderOfIds(claims: readonly Claim[]): Asked[] {
  const inOrder = claims.map((claim, at) => ({ claim, at }))
  return inOrder.sort((a, b) => (a.claim.job.id < b.claim.job.id ? -1 : 1))
}

/** `place` counts from 1 */
export type ClaimedRow = [place: number, payload: Claimed['payload']]

// Apart from the statement, since it loops: V8 compiled both together, lists of parameters included, in 80 ms,
// and did so seven times until it had seen all kinds of them.
export function toClaimed(
  rows: readonly ClaimedRow[],
  inOrder: readonly Asked[],
  { nodeId, startedUs }: { nodeId: string; startedUs: number },
): Claimed[] {
  const claimed: (Claimed | null)[] = inOrder.map(() => null)
  for (const [place, payload] of rows) {
    const asked = inOrder[place - 1]
    if (!asked) throw new Error(`place ${place} of ${inOrder.length} claims`)
    claimed[asked.at] = {
      job: claimedJob(asked.claim.job, nodeId, asked.claim, startedUs),
      payload,
    }
  }
  return claimed.filter((each) => each !== null)
}
