/**
 * Jobs of dead nodes. A node is dead when its heartbeat is older than a lease, and declared so by deleting
 * its row. Heartbeat, claim and rescue meet at the lock of that row, so exactly one of these comes first:
 *
 *   heartbeat, then rescue   the row is fresh again and stays
 *   rescue, then heartbeat   the node learns that it is dead, and goes on under a new id
 *   claim, then rescue       the claimed jobs are seen and rescued
 *   rescue, then claim       the claim finds no lease and starts nothing
 *
 * The row and its jobs change in one transaction, so a rescuer that dies half-way leaves all to the next.
 */
import type { Job, JobError } from '../core/job.ts'
import { lostWithNode } from '../core/transition.ts'
import { moveJobs } from './move.ts'
import type { Store } from './open.ts'
import { jobColumns, toJob, type JobRow } from './rows.ts'
import { run, transaction, type Statement } from './run.ts'

const bury: Statement = {
  text: `DELETE FROM node WHERE id IN (
    SELECT id FROM node WHERE heartbeat_at <= clock_timestamp() - $1 * interval '1 ms'
    FOR UPDATE SKIP LOCKED
  )`,
}
// Also finds jobs of nodes that signed off without giving them back.
const orphans: Statement = {
  text: `SELECT ${jobColumns()}, date_part('epoch', clock_timestamp()) * 1e3 AS now_ms FROM job
    WHERE state = 'RUNNING' AND NOT EXISTS (SELECT 1 FROM node WHERE node.id = job.node_id)
    ORDER BY id LIMIT $1 FOR UPDATE OF job SKIP LOCKED`,
}
const LIMIT = 1000

export interface RescueOptions {
  /** 0 declares every node dead: for a database that only this process can have open */
  leaseMs: number
  /** what the lost attempt is said to have failed with */
  error: JobError
}

/**
 * Declares nodes dead and moves their jobs on, at most 1000 per call: the lost attempt counts, then a job
 * goes back to the queue, or ends where somebody wanted it stopped or its attempts are spent. Safe from any
 * number of nodes at once. STORE_UNAVAILABLE.
 */
export async function rescueLost(
  { pool }: Store,
  { leaseMs, error }: RescueOptions,
): Promise<{ requeued: Job[]; failed: Job[]; cancelled: Job[] }> {
  const moved = await transaction(pool, async (client) => {
    await run(client, bury, [leaseMs])
    const rows = await run<JobRow & { now_ms: number }>(client, orphans, [LIMIT])
    const lost = rows.map((row) => lostWithNode(toJob(row), { now: row.now_ms, error }))
    return moveJobs({ pool: client, hot: client }, lost, ({ job }) => job.nodeId ?? '')
  })
  return {
    requeued: moved.filter(({ state }) => state === 'QUEUED'),
    failed: moved.filter(({ state }) => state === 'FAILED'),
    cancelled: moved.filter(({ state }) => state === 'CANCELLED'),
  }
}
