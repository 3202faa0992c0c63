/**
 * The vocabulary of the scheduler. Times are milliseconds since the epoch on the database's clock,
 * durations end in `Ms`, and nothing here does I/O.
 */

/**
 * SCHEDULED  waits for its `runAt` (a delay asked for, or the back-off of a retry)
 * QUEUED     may start as soon as threads are free for it
 * RUNNING    claimed by a node under a lease and given threads
 * COMPLETED  ended with a result
 * FAILED     ended with an error and no attempts left
 * CANCELLED  ended because somebody asked
 */
export const jobStates = [
  'SCHEDULED',
  'QUEUED',
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
] as const
export type JobState = (typeof jobStates)[number]
export type ActiveState = 'SCHEDULED' | 'QUEUED' | 'RUNNING'
export type FinalState = 'COMPLETED' | 'FAILED' | 'CANCELLED'

export const isFinal = (state: JobState): state is FinalState =>
  state === 'COMPLETED' || state === 'FAILED' || state === 'CANCELLED'

/** Why a job runs on the number of threads it runs on. */
export type WidthReason =
  /** it got what it asked for */
  | 'AS_DEMANDED'
  /** its type has no parallel form, so more than one thread would idle */
  | 'TYPE_NOT_PARALLEL'
  /** no live worker in the cluster has as many threads as it asked for */
  | 'NO_WORKER_LARGE_ENOUGH'
  /** fewer or more than it prefers, within its range: it is expected to end sooner so */
  | 'WITHIN_RANGE'

/** Wide enough for any scale of importance, and exact in every number type a client may use. */
export const PRIORITY = { min: -1000, max: 1000, default: 0 } as const
/** More than any machine's threads; larger demands are typing errors. */
export const THREAD_DEMAND = { min: 1, max: 1024, default: 1 } as const
/** Of a submitter's hint, ms: a week. */
export const EXPECTED_MS = { min: 1, max: 7 * 86_400_000 } as const
export const MAX_ATTEMPTS = { min: 1, max: 100 } as const

export interface JobError {
  name: string
  message: string
  stack?: string
  /** e.g. a Node error code, or why a thread ended: TIMEOUT, OUT_OF_MEMORY, THREAD_EXIT, WORKER_EXIT, NODE_LOST */
  code?: string
}

/** Waits `baseMs × 2^(attempt − 1)` before the next attempt, never above `maxMs`, less up to half by jitter. */
export interface Backoff {
  baseMs: number
  maxMs: number
}

/** One ended execution of a job. The running one is told by the job itself. */
export interface Attempt {
  number: number
  nodeId: string
  workerName: string | null
  startedAt: number
  finishedAt: number
  error: JobError | null
}

/** A job without its payload and result, which may be large and are read only when asked for. */
export interface Job {
  /** UUIDv7: sorts by submission */
  id: string
  name: string
  type: string
  priority: number
  /** threads asked for */
  threadDemand: number
  /** threads it needs at once: the demand, or 1 for a type with no parallel form; the least of a moldable job */
  gang: number
  /** of a moldable job, which may run on any number from `gang` to this; null for a fixed demand */
  maxThreads: number | null
  /** run time the submitter expects, ms */
  expectedMs: number | null
  /** of the payload: see `core/estimate.ts` */
  sizeClass: number
  /** whose share of the threads it uses */
  fairnessKey: string | null
  /** thread time charged to that share when its turn is given, ms; null where fair share is off: see `core/fair-share.ts` */
  fairCostMs: number | null
  /** threads it was given; null until it first starts */
  width: number | null
  widthReason: WidthReason | null
  state: JobState
  /** sort key of the queue, lower first; ties by id. Computed once, at submission: see `core/rank.ts` */
  rank: number
  attempt: number
  maxAttempts: number
  backoff: Backoff
  /** limit of one attempt; null for none */
  timeoutMs: number | null
  attempts: Attempt[]
  createdAt: number
  /** not before; equals createdAt for a job with no delay */
  runAt: number
  startedAt: number | null
  finishedAt: number | null
  /** holder of the lease while RUNNING, last holder when finished: the id of a node's incarnation */
  nodeId: string | null
  workerName: string | null
  cancelRequested: boolean
  error: JobError | null
  /** 0..1, told by the job itself while it runs; never stored in Postgres */
  progress: number | null
  /** from `runAt` to start, start to finish, and `createdAt` to finish; null while unknown */
  queueTimeMs: number | null
  executionTimeMs: number | null
  totalTimeMs: number | null
}

export interface ThreadRange {
  min: number
  preferred: number
  max: number
}

/** How many threads a moldable job may run on; null for one of a fixed demand. */
export const threadRange = (
  job: Pick<Job, 'gang' | 'threadDemand' | 'maxThreads'>,
): ThreadRange | null =>
  job.maxThreads === null
    ? null
    : { min: job.gang, preferred: job.threadDemand, max: job.maxThreads }

/** What the planner knows of a queued job. */
export interface QueuedJob {
  id: string
  type: string
  rank: number
  gang: number
  threadDemand: number
  maxThreads?: number | null
  createdAt: number
  /** for what-ifs about it, where the reader of the queue tells it: plans go by rank */
  priority?: number
  /** for predictions, where the reader of the queue tells them: see `core/estimate.ts` */
  sizeClass?: number
  expectedMs?: number | null
  timeoutMs?: number | null
}

/** A worker as the rest of the cluster sees it. */
export interface WorkerView {
  nodeId: string
  nodeName: string
  name: string
  threads: number
  /** one entry per thread: the id of the job it runs, or null */
  busy: (string | null)[]
}
