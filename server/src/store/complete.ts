import type { Job } from '../core/job.ts'
import { endedJob, type Completion } from '../core/transition.ts'
import { heldBy } from './lease.ts'
import type { Store } from './open.ts'
import { jsonArray, plainArray, textArray } from './parameters.ts'
import { movedColumns, timestamp } from './rows.ts'
import { run, type Queryable, type Statement } from './run.ts'

/** As `core/metrics.ts` has it: whole µs, and never below zero. */
const spanMs = (from: string, to: string): string =>
  `greatest(0, round(date_part('epoch', ${to} - ${from}) * 1e6) / 1e3)`

/** Columns that a claim writes. */
type Known = Record<'node_id' | 'attempt' | 'worker_name' | 'width' | 'width_reason', string>

interface Ending {
  /** what must hold of the row */
  fence: string
  /** what is told of each job beside what every completion tells: array parameters from $7 on, and their names */
  arrays?: string[]
  told?: string[]
  /** values of columns that the row does not have yet */
  known?: Partial<Known>
}

// What nearly every job ends with, so it is told as little as it can be: what `move.ts` says of each outcome took
// PostgreSQL 12 µs a job in place of 9, and the server 3 in place of 1.5. The ids come back only where some
// were refused.
const ending = (name: string, { fence, arrays = [], told = [], known = {} }: Ending): Statement => {
  const moved = movedColumns('started_at', ...(Object.keys(known) as (keyof Known)[]))
  const columns = [moved, ...Object.keys(known)].join(', ')
  const values = [moved, ...Object.entries(known).map(([name, value]) => `${value} AS ${name}`)]
  return {
    name,
    text: `WITH ended AS (
    DELETE FROM job USING ROWS FROM (
      unnest(${['$2::uuid[]', '$3::int[]', '$4::float8[]', '$5::float8[]', ...arrays].join(', ')}),
      json_array_elements($6)
    ) AS t (${['job_id', 'tried', 'started_ms', 'finished_ms', ...told].join(', ')}, result)
    WHERE id = job_id AND ${fence}
    RETURNING ${values.join(', ')}, result,
      ${timestamp('started_ms')} AS began_at, ${timestamp('finished_ms')} AS finished_at
  ), stored AS (
    INSERT INTO job_history (${columns}, state, started_at, finished_at, result,
      queue_time_ms, execution_time_ms, total_time_ms)
    SELECT ${columns}, 'COMPLETED', began_at, finished_at, result,
      ${spanMs('run_at', 'began_at')}, ${spanMs('began_at', 'finished_at')}, ${spanMs('created_at', 'finished_at')}
    FROM ended
    RETURNING id
  )
  SELECT CASE (SELECT count(*) FROM stored)
    WHEN cardinality($2::uuid[]) THEN NULL
    ELSE (SELECT coalesce(json_agg(id), '[]') FROM stored)::text
  END AS only`,
  }
}

const complete = ending('complete', { fence: `${heldBy('$1')} AND attempt = tried` })

const completeLocked = ending('complete-locked', {
  fence: `coalesce(job.state = 'QUEUED', false) AND attempt = tried - 1`,
  arrays: ['$7::text[]', '$8::int[]', '$9::text[]'],
  told: ['its_worker', 'its_width', 'its_reason'],
  known: {
    ...{ node_id: '$1::uuid', attempt: 'tried' },
    ...{ worker_name: 'its_worker', width: 'its_width', width_reason: 'its_reason' },
  },
})

/**
 * RUNNING → COMPLETED under `nodeId`'s lease, for jobs that were not charged to fair share. Those whose lease is
 * gone are absent from the answer. STORE_UNAVAILABLE.
 */
export function completeJobs(
  { hot }: Pick<Store, 'hot'>,
  nodeId: string,
  completions: readonly Completion[],
): Promise<Job[]> {
  return end(hot, complete, nodeId, completions, () => [])
}

/** The same for jobs whose rows `on` has locked: see `short-claim.ts`. */
export function completeLockedJobs(
  on: Queryable,
  nodeId: string,
  completions: readonly Completion[],
): Promise<Job[]> {
  return end(on, completeLocked, nodeId, completions, (jobs) => [
    textArray(jobs.map(({ workerName }) => workerName)),
    plainArray(jobs.map(({ width }) => width)),
    plainArray(jobs.map(({ widthReason }) => widthReason)),
  ])
}

async function end(
  on: Queryable,
  statement: Statement,
  nodeId: string,
  completions: readonly Completion[],
  alsoTold: (jobs: readonly Job[]) => unknown[],
): Promise<Job[]> {
  // In order of ids, as everything that locks several jobs, so that two of them never wait for each other.
  const inOrder = completions.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const [row] = await run<{ only: string | null }>(on, statement, [
    nodeId,
    plainArray(inOrder.map(({ id }) => id)),
    plainArray(inOrder.map(({ attempt }) => attempt)),
    plainArray(inOrder.map(({ startedAt }) => startedAt)),
    plainArray(inOrder.map(({ finishedAt }) => finishedAt)),
    jsonArray(inOrder.map(({ result }) => result)),
    ...alsoTold(inOrder.map(({ job }) => job)),
  ])
  // Not before: while a statement is under way, the garbage collector would copy them.
  const jobs = inOrder.map(endedJob)
  if (row?.only === null) return jobs
  const done = new Set(JSON.parse(row?.only ?? '[]') as string[])
  return jobs.filter(({ id }) => done.has(id))
}
