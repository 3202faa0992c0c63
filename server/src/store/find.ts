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

const anywhere: Statement = {
  name: 'find-anywhere',
  text: `${active.text} UNION ALL ${ended.text}`,
}

/**
 * Jobs by id, wherever they are now; ids nobody knows are absent. STORE_UNAVAILABLE. A job ends by moving from
 * `job` to `job_history` in one commit: one statement, which sees one moment, finds it in exactly one of them.
 */
export async function findJobs({ pool }: Store, ids: string[]): Promise<Map<string, Job>> {
  const rows = await run<JobRow>(pool, anywhere, [ids])
  return new Map(rows.map((row) => [row.id, toJob(row)]))
}
