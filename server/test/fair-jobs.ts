import { parkedRank } from '../src/core/fair-share.ts'
import type { Job } from '../src/core/job.ts'
import { giveTurns } from '../src/store/fair-share.ts'
import type { NewJob } from '../src/store/insert.ts'
import { newJob } from './new-jobs.ts'
import type { StoreTools } from './store-tools.ts'

/** A job as a submission makes it where fair share is on. */
export function jobOf(
  fairnessKey: string | null,
  fairCostMs: number,
  { agingMs = null, ...given }: Parameters<typeof newJob>[0] & { agingMs?: number | null } = {},
): NewJob {
  const made = newJob({ fairnessKey, fairCostMs, ...given })
  made.job.rank = parkedRank(made.job.priority, made.job.createdAt, agingMs)
  return made
}

/** Stores jobs and gives them their turns. */
export async function submit(
  t: StoreTools,
  jobs: NewJob[],
  agingMs: number | null = null,
): Promise<Job[]> {
  const results = await t.insert(...jobs)
  await giveTurns(t.store, agingMs)
  return results.map((result) => ('job' in result ? result.job : null)!)
}

export async function turnsOf(t: StoreTools): Promise<Map<string, number | null>> {
  const { rows } = await t.store.pool.query<{ id: string; turn: number | null }>(
    'SELECT id, turn FROM job',
  )
  return new Map(rows.map(({ id, turn }) => [id, turn]))
}
