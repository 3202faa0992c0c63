import type { Job } from '../core/job.ts'
import type { Store } from './open.ts'
import { historyColumns, jobColumns, toJob, type JobRow } from './rows.ts'
import { run, type Queryable, type Statement } from './run.ts'

const active: Statement = {
  name: 'find-active',
  text: `SELECT ${jobColumns()} FROM job WHERE id = ANY($1::uuid[])`,
}
const ended: Statement = {
  name: 'find-ended',
  text: `SELECT ${historyColumns()} FROM job_history WHERE id = ANY($1::uuid[])`,
}

export async function findActive(on: Queryable, ids: string[]): Promise<Job[]> {
  return (await run<JobRow>(on, active, [ids])).map(toJob)
}

export async function findEnded(on: Queryable, ids: string[]): Promise<Job[]> {
  return (await run<JobRow>(on, ended, [ids])).map(toJob)
}

/**
 * Jobs by id, wherever they are now; ids nobody knows are absent. STORE_UNAVAILABLE.
 *
 * A job ends by moving from `job` to `job_history` in one commit, so one that is in neither at first may
 * have moved between the two looks: only a second miss in `job` (a retry moves it back) is a true one.
 */
export async function findJobs(store: Store, ids: string[]): Promise<Map<string, Job>> {
  const found = new Map<string, Job>()
  for (const look of [findActive, findEnded, findActive]) {
    const missing = ids.filter((id) => !found.has(id))
    if (missing.length === 0) break
    for (const job of await look(store.pool, missing)) found.set(job.id, job)
  }
  return found
}
