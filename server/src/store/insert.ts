import type { Job } from '../core/job.ts'
import { findJobs } from './find.ts'
import { newColumns, newRowParameters, newRows, newValues, type NewJob } from './new-rows.ts'
import type { Store } from './open.ts'
import { textArray } from './parameters.ts'
import { roomInQueue } from './queue-room.ts'
import { run, type Statement } from './run.ts'

export type { NewJob }

/** `created: false` gives the job of the first submission with that key, as it is now */
export type InsertResult = { job: Job; created: boolean } | { error: 'QUEUE_FULL' }

const insertInto = `INSERT INTO job (${newColumns}, state, attempt)
  SELECT ${newValues}, state::job_state, attempt`

const insert: Statement = { name: 'insert', text: `${insertInto} FROM ${newRows}` }

// Keys are taken in order, so that two batches with the same ones wait for each other and never in a ring.
const insertKeyed: Statement = {
  name: 'insert-keyed',
  text: `WITH input AS MATERIALIZED (
    SELECT t.*, key FROM ${newRows}
    JOIN unnest($1::uuid[], $21::text[]) AS keys (id, key) USING (id)
  ), taken AS (
    INSERT INTO idempotency_key (key, job_id, created_at)
    SELECT DISTINCT ON (key) key, id, clock_timestamp() FROM input WHERE key IS NOT NULL ORDER BY key, id
    ON CONFLICT (key) DO NOTHING
    RETURNING job_id
  ), inserted AS (
    ${insertInto} FROM input WHERE key IS NULL OR id IN (SELECT job_id FROM taken)
    RETURNING id
  )
  SELECT id FROM inserted`,
}

/**
 * Stores jobs in one statement and resolves after its commit. A batch that does not fit under
 * `queueLimit` is refused whole, but for jobs whose key is known already. STORE_UNAVAILABLE.
 */
export async function insertJobs(
  store: Store,
  jobs: NewJob[],
  options: { queueLimit: number },
): Promise<InsertResult[]> {
  if (jobs.length === 0) return []
  if (!(await roomInQueue(store, jobs.length, options.queueLimit))) return answerKnown(store, jobs)

  const values = newRowParameters(jobs)
  if (!jobs.some(({ idempotencyKey }) => idempotencyKey)) {
    await run(store.hot, insert, values)
    return jobs.map(({ job }) => ({ job, created: true }))
  }
  const keys = textArray(jobs.map(({ idempotencyKey }) => idempotencyKey || null))
  const rows = await run<{ id: string }>(store.pool, insertKeyed, [...values, keys])
  const created = new Set(rows.map(({ id }) => id))
  const first = await jobsOfKeys(
    store,
    jobs.filter(({ job }) => !created.has(job.id)),
  )
  return jobs.map((newJob) => {
    const { job, idempotencyKey } = newJob
    if (created.has(job.id)) return { job, created: true }
    const known = first.get(idempotencyKey ?? '')
    if (!known) throw new Error('the job of an idempotency key is gone')
    return { job: known, created: false }
  })
}

async function answerKnown(store: Store, jobs: NewJob[]): Promise<InsertResult[]> {
  const known = await jobsOfKeys(store, jobs)
  return jobs.map(({ idempotencyKey }) => {
    const job = known.get(idempotencyKey ?? '')
    return job ? { job, created: false } : { error: 'QUEUE_FULL' }
  })
}

const findKeys: Statement = {
  text: 'SELECT key, job_id FROM idempotency_key WHERE key = ANY($1)',
}

/** key → the job that was first submitted with it */
async function jobsOfKeys(store: Store, jobs: NewJob[]): Promise<Map<string, Job>> {
  const keys = jobs.flatMap(({ idempotencyKey }) => idempotencyKey || [])
  if (keys.length === 0) return new Map()
  const rows = await run<{ key: string; job_id: string }>(store.pool, findKeys, [keys])
  const found = await findJobs(
    store,
    rows.map((row) => row.job_id),
  )
  return new Map(
    rows.flatMap((row) => {
      const job = found.get(row.job_id)
      return job ? [[row.key, job] as const] : []
    }),
  )
}
