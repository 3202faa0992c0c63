import type { Share } from '../../core/fair-share.ts'
import { threadRange, type Attempt, type Job, type JobError } from '../../core/job.ts'
import type { Schedule } from '../../scheduler/insight.ts'
import type { Read } from '../../store/read.ts'

const time = (ms: number): string => new Date(ms).toISOString()
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : time(ms))

const errorView = (error: JobError | null) =>
  error && {
    name: error.name,
    message: error.message,
    code: error.code ?? null,
    stack: error.stack ?? null,
  }

const attemptView = (attempt: Attempt) => ({
  number: attempt.number,
  node_id: attempt.nodeId,
  worker_name: attempt.workerName,
  started_at: time(attempt.startedAt),
  finished_at: time(attempt.finishedAt),
  error: errorView(attempt.error),
})

/** A job as REST tells it. */
export const jobView = (job: Job) => ({
  id: job.id,
  name: job.name,
  type: job.type,
  priority: job.priority,
  thread_demand: job.threadDemand,
  threads: threadRange(job),
  expected_ms: job.expectedMs,
  fairness_key: job.fairnessKey,
  width: job.width,
  width_reason: job.widthReason,
  state: job.state,
  progress: job.progress,
  attempt: job.attempt,
  max_attempts: job.maxAttempts,
  attempts: job.attempts.map(attemptView),
  backoff: { base_ms: job.backoff.baseMs, max_ms: job.backoff.maxMs },
  timeout_ms: job.timeoutMs,
  worker_name: job.workerName,
  node_id: job.nodeId,
  cancel_requested: job.cancelRequested,
  created_at: time(job.createdAt),
  run_at: time(job.runAt),
  started_at: timeOrNull(job.startedAt),
  finished_at: timeOrNull(job.finishedAt),
  queue_time_ms: job.queueTimeMs,
  execution_time_ms: job.executionTimeMs,
  total_time_ms: job.totalTimeMs,
  error: errorView(job.error),
})

export type Include = 'payload' | 'result'

/**
 * JSON text of jobs with their payloads and results. Those are stored as JSON text and put in as they
 * are: parsing and writing a payload of megabytes only to pass it on would stop the server meanwhile.
 */
export async function jobsText(
  read: Pick<Read, 'documents'>,
  jobs: readonly Job[],
  include: readonly Include[],
): Promise<string[]> {
  if (include.length === 0 || jobs.length === 0) {
    return jobs.map((job) => JSON.stringify(jobView(job)))
  }
  const documents = await read.documents(jobs.map(({ id }) => id))
  return jobs.map((job) => {
    const { payload, result } = documents.get(job.id) ?? { payload: '{}', result: null }
    const text = JSON.stringify(jobView(job)).slice(0, -1)
    const parts = include.map((part) =>
      part === 'payload'
        ? `,"payload":${payload}`
        : `,"result":${job.state === 'COMPLETED' ? (result ?? 'null') : 'null'}`,
    )
    return `${text}${parts.join('')}}`
  })
}

export const fairShareView = (share: Share) => ({
  key: share.key,
  weight: share.weight,
  used_thread_ms: share.usedThreadMs,
  share: share.share,
  entitled: share.entitled,
})

/** Why a job waits and when it will start; null for one that is not queued. */
export const scheduleView = (schedule: Schedule | null) =>
  schedule && {
    position: schedule.position,
    reason: schedule.reason,
    reasons: schedule.reasons,
    ahead: schedule.ahead,
    width: schedule.width,
    free_threads: schedule.freeThreads,
    workers: schedule.workers.map(({ name, threads, free }) => ({
      name,
      threads,
      free_threads: free,
    })),
    reservation: schedule.reservation && {
      job_id: schedule.reservation.jobId,
      worker_name: schedule.reservation.workerName,
      width: schedule.reservation.width,
      since: time(schedule.reservation.since),
      start_at: timeOrNull(schedule.reservation.startAt),
      promised_at: timeOrNull(schedule.reservation.promisedAt),
    },
    estimated_start: schedule.estimatedStart && {
      p50: time(schedule.estimatedStart.p50),
      p90: time(schedule.estimatedStart.p90),
    },
  }
