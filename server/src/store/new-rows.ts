/** How new jobs reach the table: their columns side by side, in one statement. */
import type { Backoff, Job } from '../core/job.ts'
import { DEFAULT_BACKOFF } from '../core/defaults.ts'
import { jsonArray, plainArray, textArray } from './parameters.ts'
import { timestamp } from './rows.ts'

export interface NewJob {
  job: Job
  /** JSON text */
  payload: string
  /** a second submission with the same key is answered with the first one's job */
  idempotencyKey?: string | null
}

// With batches of 500, 4 in flight, on PostgreSQL 15 and two busy cores this takes 118,000 small jobs/s and
// 55,000 of 1 kB, where one json_to_recordset for everything takes 100,000 and 45,000; and that cannot carry
// `\u0000` or lone surrogates, which JSON texts may hold.
/** Functions of `$1` to `$20` that give the columns `newRowColumns` of the rows to insert. */
export const newRowFunctions = `unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[], $6::int[],
      $7::text[], $8::float8[], $9::int[], $10::int[], $11::float8[], $12::float8[], $13::int[], $14::int[],
      $15::smallint[], $16::int[], $17::text[], $18::float8[]),
    json_array_elements($19), json_array_elements($20)`
/** The same of one row, which takes a seventh less of the statement's time on an idle machine. */
export const newRowValue = `$1::uuid, $2::text, $3::text, $4::int, $5::int, $6::int,
      $7::text, $8::float8, $9::int, $10::int, $11::float8, $12::float8, $13::int, $14::int,
      $15::smallint, $16::int, $17::text, $18::float8, $19::json, $20::json`
export const newRowColumns = `id, name, type, priority, thread_demand, gang, state, rank, max_attempts, timeout_ms,
    created_ms, run_ms, attempt, expected_ms, size_class, max_threads, fairness_key, fair_cost_ms, backoff, payload`
export const newRows = `ROWS FROM (${newRowFunctions}) AS t (${newRowColumns})`

/** What such a row says of a job, but for its state and attempt. */
export const newColumns = `id, name, type, priority, thread_demand, gang, rank, max_attempts, backoff, timeout_ms,
  payload, created_at, run_at, expected_ms, size_class, max_threads, fairness_key, fair_cost_ms`
const DEFAULT = JSON.stringify(DEFAULT_BACKOFF)
// What is the same for most is not sent: with what few jobs have, which is not either, it was an eighth of the
// statement's CPU.
/** The values for `newColumns`, of rows in which null is what most jobs have. */
export const newValues = newColumns
  .replace('name', 'coalesce(name, type)')
  .replace('gang', 'coalesce(gang, thread_demand)')
  .replace('backoff', `coalesce(backoff, '${DEFAULT}')`)
  .replace('created_at', timestamp('created_ms'))
  .replace('run_at', timestamp('coalesce(run_ms, created_ms)'))

type Value = string | number | null

interface Field {
  of(job: Job): Value
  list(jobs: readonly NewJob[]): string
}
const plain = (of: (job: Job) => Value): Field => ({
  of,
  list: (jobs) => listOf(jobs, of, plainArray),
})
const text = (of: (job: Job) => string | null): Field => ({
  of,
  list: (jobs) => listOf(jobs, of, textArray),
})

/** `$1` to `$18`. */
const fields: readonly Field[] = [
  plain((job) => job.id),
  text(({ name, type }) => (name === type ? null : name)),
  text((job) => job.type),
  plain((job) => job.priority),
  plain((job) => job.threadDemand),
  plain(({ gang, threadDemand }) => (gang === threadDemand ? null : gang)),
  plain((job) => job.state),
  plain((job) => job.rank),
  plain((job) => job.maxAttempts),
  plain((job) => job.timeoutMs),
  plain((job) => job.createdAt),
  plain(({ runAt, createdAt }) => (runAt === createdAt ? null : runAt)),
  plain((job) => job.attempt),
  plain((job) => job.expectedMs),
  plain((job) => job.sizeClass),
  plain((job) => job.maxThreads),
  // Where fair share is on, jobs without a key share one.
  text(({ fairnessKey, fairCostMs }) => (fairCostMs === null ? fairnessKey : (fairnessKey ?? ''))),
  plain((job) => job.fairCostMs),
]

/** `$1` to `$20` of `newRowFunctions`. */
export function newRowParameters(jobs: readonly NewJob[]): string[] {
  const backoffs = jobs.map(({ job }) => backoffText(job.backoff))
  return [
    ...fields.map(({ list }) => list(jobs)),
    backoffs.every((backoff) => backoff === DEFAULT) ? '[]' : jsonArray(backoffs),
    jsonArray(jobs.map(({ payload }) => payload)),
  ]
}

/** `$1` to `$20` of `newRowValue`. */
export const newRowValueParameters = ({ job, payload }: NewJob): Value[] => [
  ...fields.map(({ of }) => of(job)),
  backoffText(job.backoff),
  payload,
]

/** The list of a column, or none where no job has anything in it: unnest fills that up with nulls. */
function listOf<T>(
  jobs: readonly NewJob[],
  of: (job: Job) => T | null,
  list: (values: readonly (T | null)[]) => string,
): string {
  const values = jobs.map(({ job }) => of(job))
  return values.every((value) => value === null) ? '{}' : list(values)
}

/** Most jobs have that of their type. */
let lastBackoff: { value: Backoff; text: string } | null = null

function backoffText(value: Backoff): string {
  if (lastBackoff?.value !== value) lastBackoff = { value, text: JSON.stringify(value) }
  return lastBackoff.text
}
