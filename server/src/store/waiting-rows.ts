import type { Job } from '../core/job.ts'
import { DEFAULT_BACKOFF } from '../core/retry.ts'
import { attemptsOf, backoffOf, epochUs, ms, type JobRow } from './rows.ts'

/**
 * Select list that `toWaitingJob` reads: what can differ between jobs in the queue, and no payload. What is the
 * same for most is not sent: to read a column takes the server 0.1 µs, and this is the only look that is taken
 * at every job.
 */
export const waitingColumns = `id, nullif(name, type) AS name, type, priority, thread_demand,
  nullif(gang, thread_demand) AS gang, rank, nullif(attempt, 0) AS attempt, max_attempts,
  nullif(backoff::text, '${JSON.stringify(DEFAULT_BACKOFF)}') AS backoff, timeout_ms,
  nullif(attempts::text, '[]') AS attempts, ${epochUs('created_at')} AS created_us,
  ${epochUs('nullif(run_at, created_at)')} AS run_us, expected_ms, size_class, max_threads, fairness_key,
  fair_cost_ms`

/** null is what most jobs have */
export interface WaitingRow extends Pick<
  JobRow,
  | 'id'
  | 'type'
  | 'priority'
  | 'thread_demand'
  | 'rank'
  | 'max_attempts'
  | 'timeout_ms'
  | 'created_us'
  | 'expected_ms'
  | 'size_class'
  | 'max_threads'
  | 'fairness_key'
  | 'fair_cost_ms'
> {
  /** null for that of its type */
  name: string | null
  /** null for as many as it demands */
  gang: number | null
  /** null for 0 */
  attempt: number | null
  /** null for `DEFAULT_BACKOFF` */
  backoff: string | null
  /** null for none */
  attempts: string | null
  /** null for when the job was created */
  run_us: number | null
}

/** A job of the queue as it stands there: it has no threads, no holder and no times of an attempt. */
export function toWaitingJob(row: WaitingRow): Job {
  return {
    id: row.id,
    name: row.name ?? row.type,
    type: row.type,
    priority: row.priority,
    threadDemand: row.thread_demand,
    gang: row.gang ?? row.thread_demand,
    width: null,
    widthReason: null,
    state: 'QUEUED',
    rank: row.rank,
    attempt: row.attempt ?? 0,
    maxAttempts: row.max_attempts,
    backoff: row.backoff === null ? DEFAULT_BACKOFF : backoffOf(row.backoff),
    timeoutMs: row.timeout_ms,
    attempts: attemptsOf(row.attempts),
    createdAt: ms(row.created_us),
    runAt: ms(row.run_us ?? row.created_us),
    startedAt: null,
    finishedAt: null,
    nodeId: null,
    workerName: null,
    expectedMs: row.expected_ms,
    sizeClass: row.size_class,
    maxThreads: row.max_threads,
    fairnessKey: row.fairness_key || null,
    fairCostMs: row.fair_cost_ms,
    cancelRequested: false,
    error: null,
    progress: null,
    queueTimeMs: null,
    executionTimeMs: null,
    totalTimeMs: null,
  }
}
