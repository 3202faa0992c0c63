import type { Job } from '../core/job.ts'
import { DEFAULT_BACKOFF, DEFAULT_MAX_ATTEMPTS, DEFAULT_TIMEOUT_MS } from '../core/defaults.ts'
import { rank } from '../core/rank.ts'
import { attemptsOf, backoffOf, epochUs, ms, type JobRow } from './rows.ts'

/**
 * Select list that `toWaitingJob` reads: what can differ between jobs in the queue, and no payload. What is the
 * same for most is not sent: to read a column takes the server 0.1 µs, and this is the only look that is taken
 * at every job. The columns have no names, which an ORDER BY of the statement would take for those of the table.
 */
export const waitingColumns = `id, nullif(name, type), type, nullif(priority, 0), nullif(thread_demand, 1),
  nullif(gang, thread_demand), nullif(rank, 0 - priority), nullif(attempt, 0),
  nullif(max_attempts, ${DEFAULT_MAX_ATTEMPTS}), nullif(backoff::text, '${JSON.stringify(DEFAULT_BACKOFF)}'),
  nullif(coalesce(timeout_ms, 0), ${DEFAULT_TIMEOUT_MS}), nullif(attempts::text, '[]'), ${epochUs('created_at')},
  ${epochUs('nullif(run_at, created_at)')}, expected_ms, size_class, max_threads, fairness_key, fair_cost_ms`

/** The values of `waitingColumns`, in their order. null is what most jobs have. */
export type WaitingRow = [
  id: JobRow['id'],
  /** null for that of its type */
  name: string | null,
  type: JobRow['type'],
  /** null for 0 */
  priority: number | null,
  /** null for 1 */
  threadDemand: number | null,
  /** null for as many as it demands */
  gang: number | null,
  /** null for that of its priority, without ageing: see `core/rank.ts` */
  rank: number | null,
  /** null for 0 */
  attempt: number | null,
  /** null for `DEFAULT_MAX_ATTEMPTS` */
  maxAttempts: number | null,
  /** null for `DEFAULT_BACKOFF` */
  backoff: string | null,
  /** null for `DEFAULT_TIMEOUT_MS`, 0 for none */
  timeoutMs: number | null,
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
  id, name, type, givenPriority, givenDemand, gang, givenRank, attempt, maxAttempts, backoff, timeoutMs, attempts,
  createdUs, runUs, expectedMs, sizeClass, maxThreads, fairnessKey, fairCostMs,
]: WaitingRow): Job {
  const priority = givenPriority ?? 0
  const threadDemand = givenDemand ?? 1
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
    rank: givenRank ?? rank(priority, 0, null),
    attempt: attempt ?? 0,
    maxAttempts: maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
    backoff: backoff === null ? DEFAULT_BACKOFF : backoffOf(backoff),
    timeoutMs: timeoutMs === null ? DEFAULT_TIMEOUT_MS : timeoutMs || null,
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
