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

/** The values of `waitingColumns`, in their order. null is what most jobs have. */
export type WaitingRow = [
  id: JobRow['id'],
  /** null for that of its type */
  name: string | null,
  type: JobRow['type'],
  priority: JobRow['priority'],
  threadDemand: JobRow['thread_demand'],
  /** null for as many as it demands */
  gang: number | null,
  rank: JobRow['rank'],
  /** null for 0 */
  attempt: number | null,
  maxAttempts: JobRow['max_attempts'],
  /** null for `DEFAULT_BACKOFF` */
  backoff: string | null,
  timeoutMs: JobRow['timeout_ms'],
  /** null for none */
  attempts: string | null,
  createdUs: JobRow['created_us'],
  /** null for when the job was created */
  runUs: number | null,
  expectedMs: JobRow['expected_ms'],
  sizeClass: JobRow['size_class'],
  maxThreads: JobRow['max_threads'],
  fairnessKey: JobRow['fairness_key'],
  fairCostMs: JobRow['fair_cost_ms'],
]

/** A job of the queue as it stands there: it has no threads, no holder and no times of an attempt. */
// prettier-ignore
export function toWaitingJob([
  id, name, type, priority, threadDemand, gang, rank, attempt, maxAttempts, backoff, timeoutMs, attempts,
  createdUs, runUs, expectedMs, sizeClass, maxThreads, fairnessKey, fairCostMs,
]: WaitingRow): Job {
  return {
    id,
    name: name ?? type,
    type,
    priority,
    threadDemand,
    gang: gang ?? threadDemand,
    width: null,
    widthReason: null,
    state: 'QUEUED',
    rank,
    attempt: attempt ?? 0,
    maxAttempts,
    backoff: backoff === null ? DEFAULT_BACKOFF : backoffOf(backoff),
    timeoutMs,
    attempts: attemptsOf(attempts),
    createdAt: ms(createdUs),
    runAt: ms(runUs ?? createdUs),
    startedAt: null,
    finishedAt: null,
    nodeId: null,
    workerName: null,
    expectedMs,
    sizeClass,
    maxThreads,
    fairnessKey: fairnessKey || null,
    fairCostMs,
    cancelRequested: false,
    error: null,
    progress: null,
    queueTimeMs: null,
    executionTimeMs: null,
    totalTimeMs: null,
  }
}
