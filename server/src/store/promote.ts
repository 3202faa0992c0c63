import type { Job } from '../core/job.ts'
import type { Store } from './open.ts'
import { jobColumns, toJob, type JobRow } from './rows.ts'
import { run, type Statement } from './run.ts'

const LIMIT = 1000

const promote: Statement = {
  name: 'promote',
  text: `WITH due AS MATERIALIZED (
    SELECT id FROM job WHERE state = 'SCHEDULED' AND run_at <= clock_timestamp()
    ORDER BY run_at LIMIT ${LIMIT} FOR UPDATE SKIP LOCKED
  )
  UPDATE job SET state = 'QUEUED' FROM due WHERE job.id = due.id RETURNING ${jobColumns()}`,
}
const next: Statement = {
  name: 'next-run',
  text: `SELECT date_part('epoch', run_at) * 1e3 AS at, run_at <= clock_timestamp() AS due
    FROM job WHERE state = 'SCHEDULED' ORDER BY run_at LIMIT 1`,
}

/**
 * Queues jobs whose time has come, at most 1000 at once. `nextRunAt` is when the next one's comes: in the
 * past where there were more. STORE_UNAVAILABLE.
 */
export async function promoteDue({
  pool,
}: Store): Promise<{ promoted: Job[]; nextRunAt: number | null }> {
  const first = await nextRun(pool)
  if (!first?.due) return { promoted: [], nextRunAt: first?.at ?? null }
  const promoted = (await run<JobRow>(pool, promote)).map(toJob)
  return { promoted, nextRunAt: (await nextRun(pool))?.at ?? null }
}

async function nextRun(pool: Store['pool']): Promise<{ at: number; due: boolean } | undefined> {
  const [row] = await run<{ at: number; due: boolean }>(pool, next)
  return row
}
