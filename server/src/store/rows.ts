import type {
  Attempt,
  Backoff,
  Job,
  JobError,
  JobState,
  QueuedJob,
  WidthReason,
} from '../core/job.ts'

/**
 * Row ↔ Job: the only file that knows how columns become fields. Times cross as epoch microseconds in a
 * double, which holds them exactly; JSON crosses as text, so that payloads are never parsed on the way.
 */

/** Columns that `job` and `job_history` have in common, but for the state. */
const common = [
  ...['id', 'name', 'type', 'priority', 'thread_demand', 'gang', 'width', 'width_reason', 'rank'],
  ...['attempt', 'max_attempts', 'backoff', 'timeout_ms', 'attempts', 'payload', 'created_at'],
  ...['run_at', 'started_at', 'node_id', 'worker_name', 'expected_ms', 'size_class', 'max_threads'],
  'fairness_key',
] as const
type Common = (typeof common)[number]

/** List of what moves as it is between `job` and `job_history`. */
export const movedColumns = (...except: Common[]): string =>
  common.filter((column) => !except.includes(column)).join(', ')

const us = (column: string): string => `date_part('epoch', ${column}) * 1e6`

const sharedColumns = (t: string): string =>
  `${t}.id, ${t}.name, ${t}.type, ${t}.priority, ${t}.thread_demand, ${t}.gang, ${t}.width,
   ${t}.width_reason, ${t}.state, ${t}.rank, ${t}.attempt, ${t}.max_attempts,
   ${t}.backoff::text AS backoff, ${t}.timeout_ms, ${t}.attempts::text AS attempts,
   ${us(`${t}.created_at`)} AS created_us, ${us(`${t}.run_at`)} AS run_us,
   ${us(`${t}.started_at`)} AS started_us, ${t}.node_id, ${t}.worker_name, ${t}.expected_ms,
   ${t}.size_class, ${t}.max_threads, ${t}.fairness_key`

/** Select list that `toJob` reads, for rows of `job`. */
export const jobColumns = (table = 'job'): string =>
  `${sharedColumns(table)}, ${table}.fair_cost_ms, ${table}.cancel_requested_at IS NOT NULL AS cancel_requested,
   NULL::float8 AS finished_us, NULL::text AS error, NULL::float8 AS queue_time_ms,
   NULL::float8 AS execution_time_ms, NULL::float8 AS total_time_ms`

/** Select list that `toJob` reads, for rows of `job_history`. */
export const historyColumns = (table = 'job_history'): string =>
  `${sharedColumns(table)}, NULL::float8 AS fair_cost_ms, false AS cancel_requested,
   ${us(`${table}.finished_at`)} AS finished_us, ${table}.error::text AS error,
   ${table}.queue_time_ms, ${table}.execution_time_ms, ${table}.total_time_ms`

export interface JobRow {
  id: string
  name: string
  type: string
  priority: number
  thread_demand: number
  gang: number
  width: number | null
  width_reason: WidthReason | null
  state: JobState
  rank: number
  attempt: number
  max_attempts: number
  backoff: string
  timeout_ms: number | null
  attempts: string
  created_us: number
  run_us: number
  started_us: number | null
  node_id: string | null
  worker_name: string | null
  expected_ms: number | null
  size_class: number
  max_threads: number | null
  fairness_key: string | null
  fair_cost_ms: number | null
  cancel_requested: boolean
  finished_us: number | null
  error: string | null
  queue_time_ms: number | null
  execution_time_ms: number | null
  total_time_ms: number | null
}

const ms = (microseconds: number): number => Math.round(microseconds) / 1000
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
    backoff: JSON.parse(row.backoff) as Backoff,
    timeoutMs: row.timeout_ms,
    attempts: row.attempts === '[]' ? [] : (JSON.parse(row.attempts) as Attempt[]),
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
    error: row.error === null ? null : (JSON.parse(row.error) as JobError),
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

/** Select list that `toQueuedJob` reads. */
export const queuedColumns = `id, type, priority, rank, gang, thread_demand, ${us('created_at')} AS created_us,
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
