import type { Job } from '../core/job.ts'
import { endedJob, type Completion } from '../core/transition.ts'
import { heldBy } from './lease.ts'
import type { Store } from './open.ts'
import { jsonArray, plainArray } from './parameters.ts'
import { movedColumns, timestamp } from './rows.ts'
import { run, type Statement } from './run.ts'

/** As `core/metrics.ts` has it: whole µs, and never below zero. */
const spanMs = (from: string, to: string): string =>
  `greatest(0, round(date_part('epoch', ${to} - ${from}) * 1e6) / 1e3)`

const moved = movedColumns('started_at')

// What nearly every job ends with, so it is told as little as it can be: what `move.ts` says of each outcome took
// PostgreSQL 12 µs a job in place of 9, and the server 3 in place of 1.5. The ids come back only where some
// were refused.
const complete: Statement = {
  name: 'complete',
  text: `WITH ended AS (
    DELETE FROM job USING ROWS FROM (
      unnest($2::uuid[], $3::int[], $4::float8[], $5::float8[]), json_array_elements($6)
    ) AS t (job_id, tried, started_ms, finished_ms, result)
    WHERE id = job_id AND ${heldBy('$1')} AND attempt = tried
    RETURNING ${moved}, result, ${timestamp('started_ms')} AS began_at, ${timestamp('finished_ms')} AS finished_at
  ), stored AS (
    INSERT INTO job_history (${moved}, state, started_at, finished_at, result,
      queue_time_ms, execution_time_ms, total_time_ms)
    SELECT ${moved}, 'COMPLETED', began_at, finished_at, result,
      ${spanMs('run_at', 'began_at')}, ${spanMs('began_at', 'finished_at')}, ${spanMs('created_at', 'finished_at')}
    FROM ended
    RETURNING id
  )
  SELECT CASE (SELECT count(*) FROM stored)
    WHEN cardinality($2::uuid[]) THEN NULL
    ELSE (SELECT coalesce(json_agg(id), '[]') FROM stored)::text
  END AS only`,
}

/**
 * RUNNING → COMPLETED under `nodeId`'s lease, for jobs that were not charged to fair share. Those whose lease is
 * gone are absent from the answer. STORE_UNAVAILABLE.
 */
export async function completeJobs(
  store: Pick<Store, 'hot'>,
  nodeId: string,
  completions: readonly Completion[],
): Promise<Job[]> {
  // In order of ids, as everything that locks several jobs, so that two of them never wait for each other.
  const inOrder = completions.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const [row] = await run<{ only: string | null }>(store.hot, complete, [
    nodeId,
    plainArray(inOrder.map(({ id }) => id)),
    plainArray(inOrder.map(({ attempt }) => attempt)),
    plainArray(inOrder.map(({ startedAt }) => startedAt)),
    plainArray(inOrder.map(({ finishedAt }) => finishedAt)),
    jsonArray(inOrder.map(({ result }) => result)),
  ])
  // Not before: while a statement is under way, the garbage collector would copy them.
  const jobs = inOrder.map(endedJob)
  if (row?.only === null) return jobs
  const done = new Set(JSON.parse(row?.only ?? '[]') as string[])
  return jobs.filter(({ id }) => done.has(id))
}
