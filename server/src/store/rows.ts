import { isFinal } from '../core/job.ts'
import type { Attempt, Backoff, Job, JobError, QueuedJob, WidthReason } from '../core/job.ts'
import type { ActiveColumns, HistoryColumns } from './columns.ts'

/**
 * Row ↔ Job: with `waiting-rows.ts` the only file that knows how columns become fields. Times cross as epoch
 * microseconds in a double, which holds them exactly; JSON crosses as text, so that payloads are never parsed
 * on the way.
 */

/** Columns that `job` and `job_history` have in common, but for the state. */
const common = [
  ...['id', 'name', 'type', 'priority', 'thread_demand', 'gang', 'width', 'width_reason', 'rank'],
  ...['attempt', 'max_attempts', 'backoff', 'timeout_ms', 'attempts', 'payload', 'created_at'],
  ...['run_at', 'started_at', 'node_id', 'worker_name', 'expected_ms', 'size_class', 'max_threads'],
  'fairness_key',
] as const satisfies readonly (keyof ActiveColumns & keyof HistoryColumns)[]
type Common = (typeof common)[number]

/** List of what moves as it is between `job` and `job_history`. */
export const movedColumns = (...except: Common[]): string =>
  common.filter((column) => !except.includes(column)).join(', ')

/** A timestamp in epoch µs, which a double holds exactly. */
export const epochUs = (column: string): string => `date_part('epoch', ${column}) * 1e6`

const sharedColumns = (t: string): string =>
  `${t}.id, ${t}.name, ${t}.type, ${t}.priority, ${t}.thread_demand, ${t}.gang, ${t}.width,
   ${t}.width_reason, ${t}.state, ${t}.rank, ${t}.attempt, ${t}.max_attempts,
   ${t}.backoff::text AS backoff, ${t}.timeout_ms, ${t}.attempts::text AS attempts,
   ${epochUs(`${t}.created_at`)} AS created_us, ${epochUs(`${t}.run_at`)} AS run_us,
   ${epochUs(`${t}.started_at`)} AS started_us, ${t}.node_id, ${t}.worker_name, ${t}.expected_ms,
   ${t}.size_class, ${t}.max_threads, ${t}.fairness_key`

/** Select list that `toJob` reads, for rows of `job`. */
export const jobColumns = (table = 'job'): string =>
  `${sharedColumns(table)}, ${table}.fair_cost_ms, ${table}.cancel_requested_at IS NOT NULL AS cancel_requested,
   NULL::float8 AS finished_us, NULL::text AS error, NULL::float8 AS queue_time_ms,
   NULL::float8 AS execution_time_ms, NULL::float8 AS total_time_ms`

/** Select list that `toJob` reads, for rows of `job_history`. */
export const historyColumns = (table = 'job_history'): string =>
  `${sharedColumns(table)}, NULL::float8 AS fair_cost_ms, false AS cancel_requested,
   ${epochUs(`${table}.finished_at`)} AS finished_us, ${table}.error::text AS error,
   ${table}.queue_time_ms, ${table}.execution_time_ms, ${table}.total_time_ms`

/** Columns that cross as they are stored. */
type Plain =
  | 'id'
  | 'name'
  | 'type'
  | 'priority'
  | 'thread_demand'
  | 'gang'
  | 'width'
  | 'state'
  | 'rank'
  | 'attempt'
  | 'max_attempts'
  | 'timeout_ms'
  | 'node_id'
  | 'worker_name'
  | 'expected_ms'
  | 'size_class'
  | 'max_threads'
  | 'fairness_key'

/** A row of either table; what only the other one has is null. */
export interface JobRow
  extends
    Pick<ActiveColumns, Plain | 'fair_cost_ms'>,
    Pick<HistoryColumns, Plain | 'queue_time_ms' | 'execution_time_ms'> {
  width_reason: WidthReason | null
  backoff: string
  attempts: string
  error: string | null
  created_us: number
  run_us: number
  started_us: number | null
  finished_us: number | null
  cancel_requested: boolean
  total_time_ms: number | null
}

export const ms = (microseconds: number): number => Math.round(microseconds) / 1000
const msOrNull = (microseconds: number | null): number | null =>
  microseconds === null ? null : ms(microseconds)

export function toJob(row: JobRow): Job {
  const runAt = ms(row.run_us)
  const startedAt = msOrNull(row.started_us)
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    priority: row.priority,
    threadDemand: row.thread_demand,
    gang: row.gang,
    width: row.width,
    widthReason: row.width_reason,
    state: row.state,
    rank: row.rank,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    backoff: backoffOf(row.backoff),
    timeoutMs: row.timeout_ms,
    attempts: isFinal(row.state) ? allAttemptsOf(row) : attemptsOf(row.attempts),
    createdAt: ms(row.created_us),
    runAt,
    startedAt,
    finishedAt: msOrNull(row.finished_us),
    nodeId: row.node_id,
    workerName: row.worker_name,
    expectedMs: row.expected_ms,
    sizeClass: row.size_class,
    maxThreads: row.max_threads,
    fairnessKey: row.fairness_key || null,
    fairCostMs: row.fair_cost_ms,
    cancelRequested: row.cancel_requested,
    error: errorOf(row),
    progress: null,
    // A job that runs has no end yet that would store it.
    queueTimeMs:
      row.state === 'RUNNING' && startedAt !== null
        ? Math.max(0, startedAt - runAt)
        : row.queue_time_ms,
    executionTimeMs: row.execution_time_ms,
    totalTimeMs: row.total_time_ms,
  }
}

/** Most jobs of a queue have the same. */
let lastBackoff: { text: string; value: Backoff } = { text: '', value: { baseMs: 0, maxMs: 0 } }

export function backoffOf(text: string): Backoff {
  if (text !== lastBackoff.text) lastBackoff = { text, value: JSON.parse(text) as Backoff }
  return lastBackoff.value
}

export const attemptsOf = (text: string | null): Attempt[] =>
  text === null || text === '[]' ? [] : (JSON.parse(text) as Attempt[])

/**
 * Every attempt of an ended job. The last one is not in the list that is stored: it is what the row itself
 * tells. (A row of a version before that has it in the list.)
 */
function allAttemptsOf(row: JobRow): Attempt[] {
  const attempts = attemptsOf(row.attempts)
  const { attempt: number, node_id: nodeId, started_us: startedUs, finished_us: finishedUs } = row
  if (attempts.length >= number || nodeId === null || startedUs === null || finishedUs === null)
    return attempts
  const error = errorOf(row)
  const [startedAt, finishedAt] = [ms(startedUs), ms(finishedUs)]
  return [
    ...attempts,
    { number, nodeId, workerName: row.worker_name, startedAt, finishedAt, error },
  ]
}

/** The same in SQL, for a row that goes back to the queue. As text, for an error may hold `\\u0000`. */
export const allAttempts = (t: string): string => {
  const epochMs = (column: string) => `date_part('epoch', ${t}.${column}) * 1e3`
  return `CASE
    WHEN json_array_length(${t}.attempts) >= ${t}.attempt OR ${t}.started_at IS NULL OR ${t}.node_id IS NULL
      THEN ${t}.attempts
    ELSE (rtrim(${t}.attempts::text, ']') || CASE json_array_length(${t}.attempts) WHEN 0 THEN '' ELSE ',' END ||
      json_build_object('number', ${t}.attempt, 'nodeId', ${t}.node_id, 'workerName', ${t}.worker_name,
        'startedAt', ${epochMs('started_at')}, 'finishedAt', ${epochMs('finished_at')}, 'error', ${t}.error)::text
      || ']')::json
    END`
}

const errorOf = ({ error }: JobRow): JobError | null =>
  error === null ? null : (JSON.parse(error) as JobError)

/** A job that a node has claimed, as the claim left its row. */
export const claimedJob = (
  job: Job,
  nodeId: string,
  given: Pick<Job, 'workerName' | 'width' | 'widthReason'>,
  startedUs: number,
): Job => {
  const startedAt = ms(startedUs)
  return {
    ...job,
    state: 'RUNNING',
    attempt: job.attempt + 1,
    nodeId,
    workerName: given.workerName,
    width: given.width,
    widthReason: given.widthReason,
    startedAt,
    queueTimeMs: Math.max(0, startedAt - job.runAt),
  }
}

/** Select list that `toQueuedJob` reads. */
export const queuedColumns = `id, type, priority, rank, gang, thread_demand, ${epochUs('created_at')} AS created_us,
  expected_ms, size_class, max_threads, timeout_ms`

export type QueuedRow = Pick<
  JobRow,
  | 'id'
  | 'type'
  | 'priority'
  | 'rank'
  | 'gang'
  | 'thread_demand'
  | 'created_us'
  | 'expected_ms'
  | 'size_class'
  | 'max_threads'
  | 'timeout_ms'
>

export const toQueuedJob = (row: QueuedRow): QueuedJob => ({
  id: row.id,
  type: row.type,
  priority: row.priority,
  rank: row.rank,
  gang: row.gang,
  threadDemand: row.thread_demand,
  createdAt: ms(row.created_us),
  expectedMs: row.expected_ms,
  sizeClass: row.size_class,
  maxThreads: row.max_threads,
  timeoutMs: row.timeout_ms,
})

/** A parameter in epoch ms as a timestamp. */
export const timestamp = (parameter: string): string => `to_timestamp(${parameter} / 1e3)`
