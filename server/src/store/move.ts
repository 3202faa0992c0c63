/**
 * The two ways out of RUNNING, each one statement for many jobs with differing outcomes. Both are fenced:
 * a job moves only while the lease (node and attempt) that the outcome belongs to still holds it.
 */
import type { Attempt, FinalState, Job } from '../core/job.ts'
import { endedJob, type Settlement } from '../core/transition.ts'
import { correctCharges } from './fair-share.ts'
import { heldBy } from './lease.ts'
import { jsonArray, plainArray } from './parameters.ts'
import { jobColumns, movedColumns, timestamp, toJob, type JobRow } from './rows.ts'
import { run, type Queryable, type Statement } from './run.ts'

type Ending = Extract<Settlement, { to: FinalState }>
type Returning = Exclude<Settlement, { to: FinalState }>
/** The node whose lease a settlement belongs to. */
type HolderOf = (settlement: Settlement) => string
/** A store, or one client of it inside a transaction. */
interface Connections {
  pool: Queryable
  hot: Queryable
}

/** Applies each settlement whose lease still holds its job; the others are absent from the answer. */
export async function moveJobs(
  on: Connections,
  settlements: readonly Settlement[],
  holderOf: HolderOf,
): Promise<Job[]> {
  const endings: Ending[] = []
  const returning: Returning[] = []
  // In order of ids, as everything that locks several jobs, so that two of them never wait for each other.
  for (const settlement of [...settlements].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    if (isReturning(settlement)) returning.push(settlement)
    else endings.push(settlement)
  }
  const ended = await endJobs(on, endings, holderOf)
  return returning.length === 0 ? ended : [...ended, ...(await returnJobs(on, returning, holderOf))]
}

const isReturning = (settlement: Settlement): settlement is Returning =>
  settlement.to === 'SCHEDULED' || settlement.to === 'QUEUED'

const fence = `job.id = t.id AND ${heldBy('t.node_id')} AND job.attempt = t.attempt`

/** The first three parameters of both statements. */
const leases = (settlements: readonly Settlement[], holderOf: HolderOf): string[] => [
  plainArray(settlements.map(({ id }) => id)),
  plainArray(settlements.map(holderOf)),
  plainArray(settlements.map(({ attempt }) => attempt)),
]
const attemptsOf = (lists: readonly (readonly Attempt[])[]): string =>
  jsonArray(lists.map((attempts) => (attempts.length === 0 ? '[]' : JSON.stringify(attempts))))

/** The last attempt of an ended job is told by its own row: see `rows.ts`. For most jobs nothing is left to store. */
function withoutLast(ending: Ending): readonly Attempt[] {
  if (ending.to === 'COMPLETED') return ending.job.attempts
  const { to, attempt, attempts } = ending
  const last = attempts.at(-1)
  const told = last?.number === attempt && (to === 'FAILED' || last.error === null)
  return told ? attempts.slice(0, -1) : attempts
}

const moved = movedColumns('attempts', 'started_at')

/** `charged`: for jobs of which some were charged to fair share in advance. */
const end = (charged: boolean): Statement => ({
  name: charged ? 'end-charged' : 'end',
  text: `WITH ended AS (
    DELETE FROM job USING ROWS FROM (
      unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::float8[], $6::float8[], $7::float8[],
        $8::float8[], $9::float8[]${charged ? ', $13::float8[]' : ''}),
      json_array_elements($10), json_array_elements($11), json_array_elements($12)
    ) AS t (id, node_id, attempt, to_state, started_ms, finished_ms, queue_ms, execution_ms, total_ms,
      ${charged ? 'used_ms, ' : ''}attempts, result, error)
    WHERE ${fence}
    RETURNING job.*, t.to_state, t.result, t.error, t.attempts AS all_attempts,
      ${charged ? 't.used_ms, ' : ''}queue_ms, execution_ms, total_ms, ${timestamp('t.started_ms')} AS began_at, ${timestamp('t.finished_ms')} AS finished_at
  )${charged ? `, ${correctCharges()}` : ''}
  INSERT INTO job_history (${moved}, state, attempts, started_at, finished_at, result, error,
    queue_time_ms, execution_time_ms, total_time_ms)
  SELECT ${moved}, to_state::job_state, all_attempts, began_at, finished_at,
    CASE to_state WHEN 'COMPLETED' THEN result END, CASE to_state WHEN 'FAILED' THEN error END,
    queue_ms, execution_ms, total_ms
  FROM ended
  RETURNING id`,
})
const endPlain = end(false)
const endCharged = end(true)

/** Thread time of all its attempts, ms, each at the width of the last. */
const usedMs = ({ width, attempts }: Job): number =>
  attempts.reduce(
    (sum, { startedAt, finishedAt }) => sum + (width ?? 1) * (finishedAt - startedAt),
    0,
  )

async function endJobs(on: Connections, endings: Ending[], holderOf: HolderOf): Promise<Job[]> {
  if (endings.length === 0) return []
  const jobs = endings.map(endedJob)
  const charged = jobs.some(({ fairCostMs }) => fairCostMs !== null)
  const rows = await run<{ id: string }>(
    charged ? on.pool : on.hot,
    charged ? endCharged : endPlain,
    [
      ...leases(endings, holderOf),
      plainArray(endings.map(({ to }) => to)),
      plainArray(jobs.map(({ startedAt }) => startedAt)),
      plainArray(jobs.map(({ finishedAt }) => finishedAt)),
      plainArray(jobs.map(({ queueTimeMs }) => queueTimeMs)),
      plainArray(jobs.map(({ executionTimeMs }) => executionTimeMs)),
      plainArray(jobs.map(({ totalTimeMs }) => totalTimeMs)),
      attemptsOf(endings.map(withoutLast)),
      jsonArray(endings.map((ending) => (ending.to === 'COMPLETED' ? ending.result : 'null'))),
      jsonArray(
        endings.map((ending) => (ending.to === 'FAILED' ? JSON.stringify(ending.error) : 'null')),
      ),
      ...(charged ? [plainArray(jobs.map(usedMs))] : []),
    ],
  )
  // What is known already is not sent back: it would be half of the work of this statement.
  const done = new Set(rows.map(({ id }) => id))
  return jobs.filter(({ id }) => done.has(id))
}

const giveBack: Statement = {
  name: 'give-back',
  text: `UPDATE job SET state = t.to_state::job_state, attempt = t.attempts_made,
      attempts = t.attempts, run_at = coalesce(${timestamp('t.run_ms')}, run_at),
      started_at = NULL, node_id = NULL, worker_name = NULL, width = NULL, width_reason = NULL
    FROM ROWS FROM (
      unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::float8[], $6::int[]),
      json_array_elements($7)
    ) AS t (id, node_id, attempt, to_state, run_ms, attempts_made, attempts)
    WHERE ${fence} AND job.cancel_requested_at IS NULL
    RETURNING ${jobColumns()}`,
}

/** One that somebody asked to cancel ends instead, also where the wish arrives at this very moment. */
async function returnJobs(
  on: Connections,
  returning: Returning[],
  holderOf: HolderOf,
): Promise<Job[]> {
  if (returning.length === 0) return []
  const rows = await run<JobRow>(on.pool, giveBack, [
    ...leases(returning, holderOf),
    plainArray(returning.map(({ to }) => to)),
    plainArray(returning.map((job) => (job.to === 'SCHEDULED' ? job.runAt : null))),
    plainArray(returning.map((job) => (job.to === 'QUEUED' ? job.attemptsMade : job.attempt))),
    attemptsOf(returning.map(({ attempts }) => attempts)),
  ])
  const returned = rows.map(toJob)
  if (returned.length === returning.length) return returned

  // What was refused is to be cancelled, or its lease is gone, and then this is refused as well.
  const back = new Set(returned.map(({ id }) => id))
  const refused = returning.filter(({ id }) => !back.has(id))
  const cancelled = await endJobs(
    on,
    refused.map((job) => ({ ...job, to: 'CANCELLED' })),
    holderOf,
  )
  return [...returned, ...cancelled]
}
