import type { Job } from '../core/job.ts'
import type { Store } from './open.ts'
import { jobColumns, toJob, type JobRow } from './rows.ts'
import { run, type Statement } from './run.ts'

const held: Statement = {
  text: `SELECT ${jobColumns()} FROM job WHERE state = 'RUNNING' AND node_id = $1`,
}

/** Every job that runs under a node's lease, as the table has it. STORE_UNAVAILABLE. */
export async function heldJobs({ pool }: Store, nodeId: string): Promise<Job[]> {
  return (await run<JobRow>(pool, held, [nodeId])).map(toJob)
}
