/**
 * The state machine. Nothing else decides what becomes of a job.
 *
 *   new ──► SCHEDULED ──due──► QUEUED ──claim──► RUNNING ──► COMPLETED
 *     └───────────────────────►  ▲ ▲               │ ├──────► FAILED      attempts spent
 *                                │ │ handed back,  │ ├──────► CANCELLED   somebody asked
 *                                │ └─ rescued ─────┤ └──────► SCHEDULED   a retry, after its back-off
 *                                └──── retry by hand, from any of the three ends
 *   SCHEDULED and QUEUED ──cancel──► CANCELLED
 *
 * `settle` and `lostWithNode` return data. The store applies it only while the row still is under the
 * same lease (node and attempt), so a late answer changes nothing.
 */
import type { Attempt, FinalState, Job, JobError, JobState } from './job.ts'
import { times } from './metrics.ts'
import type { Outcome } from './outcome.ts'
import { backoffMs } from './retry.ts'

/** Which state may follow which. NEW is a job that is not stored yet. */
export const transitions: Readonly<Record<JobState | 'NEW', readonly JobState[]>> = {
  NEW: ['SCHEDULED', 'QUEUED'],
  SCHEDULED: ['QUEUED', 'CANCELLED'],
  QUEUED: ['RUNNING', 'CANCELLED'],
  RUNNING: ['COMPLETED', 'FAILED', 'CANCELLED', 'SCHEDULED', 'QUEUED'],
  COMPLETED: ['QUEUED'],
  FAILED: ['QUEUED'],
  CANCELLED: ['QUEUED'],
}

export const canMove = (from: JobState | 'NEW', to: JobState): boolean =>
  transitions[from].includes(to)

/** What becomes of a RUNNING job. */
export type Settlement = Completion | Unfinished

/** With the node's id, `id` and `attempt` are the fence. */
interface Fenced {
  /** as it was when the attempt ran */
  job: Job
  id: string
  attempt: number
  /** of the attempt that ended, as a timestamp holds them, in whole µs */
  startedAt: number
  finishedAt: number
}

/** The list of its attempts is made when it has been stored: thousands wait for that at a time. */
export type Completion = Fenced & { to: 'COMPLETED'; result: string }

/** Nearly every job ends so: nobody's share has to be told what it used. */
export const isPlainCompletion = (settlement: Settlement): settlement is Completion =>
  settlement.to === 'COMPLETED' && settlement.job.fairCostMs === null

type Unfinished = Fenced & {
  /** the whole list to store */
  attempts: Attempt[]
} & (
    | { to: 'FAILED'; error: JobError }
    | { to: 'CANCELLED' }
    /**
     * SCHEDULED: the next attempt, not before `runAt`. QUEUED: at once; `attemptsMade` is the attempt
     * number the row goes back with, one less where the attempt does not count. Somebody may ask to
     * cancel while this is on its way: a row with that mark must not go back but end as CANCELLED.
     */
    | { to: 'SCHEDULED'; runAt: number }
    | { to: 'QUEUED'; attemptsMade: number }
  )

export interface Ended {
  now: number
  startedAt: number
  finishedAt: number
  /** 0..1, random */
  jitter: number
}

/** What becomes of a job whose attempt ended like that. */
export function settle(job: Job, outcome: Outcome, ended: Ended): Settlement {
  switch (outcome.kind) {
    case 'completed':
      // Named one by one, for this runs for every job: with spreads it took 2 µs.
      return {
        job,
        id: job.id,
        attempt: job.attempt,
        startedAt: wholeUs(ended.startedAt),
        finishedAt: wholeUs(ended.finishedAt),
        to: 'COMPLETED',
        result: outcome.result,
      }
    case 'failed':
      return failed(job, outcome.error, ended, outcome.final)
    case 'timedOut':
    case 'lost':
      return failed(job, outcome.error, ended)
    case 'cancelled':
      return { ...recorded(job, ended, null), to: 'CANCELLED' }
    case 'interrupted':
      // Back in the queue it would wait for ever: a job with that mark is never claimed.
      if (job.cancelRequested) return { ...recorded(job, ended, null), to: 'CANCELLED' }
      return {
        ...fence(job, ended),
        attempts: job.attempts,
        to: 'QUEUED',
        attemptsMade: job.attempt - 1,
      }
  }
  outcome satisfies never
}

function failed(job: Job, error: JobError, ended: Ended, final = false): Unfinished {
  const attempt = recorded(job, ended, error)
  if (job.cancelRequested) return { ...attempt, to: 'CANCELLED' }
  if (final || job.attempt >= job.maxAttempts) return { ...attempt, to: 'FAILED', error }
  const runAt = ended.now + backoffMs(job.backoff, job.attempt, ended.jitter)
  return { ...attempt, to: 'SCHEDULED', runAt }
}

/**
 * What becomes of a job whose node died under it at an unknown time before `now`. The attempt counts,
 * or a job that kills its node would run for ever; the next one need not wait for a back-off.
 */
export function lostWithNode(
  job: Job,
  { now, error }: { now: number; error: JobError },
): Unfinished {
  const ended = { startedAt: job.startedAt ?? now, finishedAt: now }
  const attempt = recorded(job, ended, error)
  if (job.cancelRequested) return { ...attempt, to: 'CANCELLED' }
  if (job.attempt >= job.maxAttempts) return { ...attempt, to: 'FAILED', error }
  return { ...attempt, to: 'QUEUED', attemptsMade: job.attempt }
}

const fence = (job: Job, { startedAt, finishedAt }: { startedAt: number; finishedAt: number }) => ({
  job,
  id: job.id,
  attempt: job.attempt,
  startedAt: wholeUs(startedAt),
  finishedAt: wholeUs(finishedAt),
})

function recorded(
  job: Job,
  times: { startedAt: number; finishedAt: number },
  error: JobError | null,
) {
  const fenced = fence(job, times)
  return { ...fenced, attempts: attemptsOf(job, fenced, error) }
}

function attemptsOf(
  job: Job,
  { startedAt, finishedAt }: { startedAt: number; finishedAt: number },
  error: JobError | null,
): Attempt[] {
  const attempt: Attempt = {
    number: job.attempt,
    nodeId: job.nodeId ?? '',
    workerName: job.workerName,
    startedAt,
    finishedAt,
    error,
  }
  return job.attempts.length === 0 ? [attempt] : [...job.attempts, attempt]
}

/** The job as it is once a settlement that ends it has been applied. */
export function endedJob(settlement: Extract<Settlement, { to: FinalState }>): Job {
  const { job, to, startedAt, finishedAt } = settlement
  const { createdAt, runAt } = job
  const took = times({ createdAt, runAt, startedAt, finishedAt })
  return {
    ...job,
    state: to,
    attempts: to === 'COMPLETED' ? attemptsOf(job, settlement, null) : settlement.attempts,
    startedAt,
    finishedAt,
    cancelRequested: false,
    error: settlement.to === 'FAILED' ? settlement.error : null,
    progress: null,
    // Named one by one, for this runs for every job: a second spread is the slow one.
    queueTimeMs: took.queueTimeMs,
    executionTimeMs: took.executionTimeMs,
    totalTimeMs: took.totalTimeMs,
  }
}

const wholeUs = (ms: number): number => Math.round(ms * 1000) / 1000
