import type { Registry } from '../job-types/registry.ts'
import { HeddleError, type Issue } from '../core/errors.ts'
import { asExpected, sizeClass, type Estimator } from '../core/estimate.ts'
import { expectedCost, parkedRank } from '../core/fair-share.ts'
import { PRIORITY, THREAD_DEMAND, type Job } from '../core/job.ts'
import { rank, type QueueOrder } from '../core/rank.ts'
import { insertJobs, type InsertResult, type NewJob } from '../store/insert.ts'
import { insertClaimedJobs, type FirstClaims, type Inserted } from '../store/insert-claimed.ts'
import type { Store } from '../store/open.ts'
import { createBatcher } from './batcher.ts'
import type { Dispatch } from './dispatch.ts'
import { createJobIds } from './job-ids.ts'
import { parseSubmitRequest, type SubmitRequest } from './submit-request.ts'

/** A batch's payloads travel in one statement: this keeps that statement far below Postgres's limit of 1 GB. */
const BATCH_BYTES = 16 * 1024 * 1024

export interface SubmitOptions {
  store: Store
  registry: Registry
  queueLimit: number
  order: QueueOrder
  estimator: Pick<Estimator, 'runMs'>
  dispatch: Pick<Dispatch, 'insert'>
  /** hears of jobs that were really created, after their commit; `claimed` of them run already */
  onAccepted(jobs: Job[], claimed: ReadonlySet<string>): void
}

type Stored = Exclude<InsertResult, { error: unknown }>

const isStored = (result: InsertResult): result is Stored => 'job' in result
const jobsOf = (stored: readonly Stored[]): Job[] => stored.map(({ job }) => job)

/** Validates and stores jobs. Resolves after the commit: all of `requests` are accepted, or none is. */
export type Submit = (requests: unknown[]) => Promise<Job[]>

export function createSubmit(options: SubmitOptions): Submit {
  const { store, registry, queueLimit, order, estimator, dispatch } = options
  const nextId = createJobIds()

  const insert = async (jobs: NewJob[], first: FirstClaims | null): Promise<Inserted> => {
    const inserted = first
      ? await insertClaimedJobs(store, jobs, { ...first, queueLimit })
      : { results: await insertJobs(store, jobs, { queueLimit }), claimed: [] }
    const created = inserted.results.filter(isStored).filter((result) => result.created)
    options.onAccepted(jobsOf(created), new Set(inserted.claimed.map(({ job }) => job.id)))
    return inserted
  }

  const insertBatch = async (jobs: NewJob[]): Promise<InsertResult[]> => {
    // A key's first job may have been stored long ago, and a job under fair share has to be given its turn.
    const mayStart = !order.fairShare && !jobs.some(({ idempotencyKey }) => idempotencyKey)
    const { results } = mayStart
      ? await dispatch.insert(
          jobs.map(({ job }) => job),
          (first) => insert(jobs, first),
        )
      : await insert(jobs, null)
    return results
  }

  // Calls that arrive in one turn share a statement, and each call is whole in one: its jobs stand or fall together.
  const inserts = createBatcher<NewJob, InsertResult>({
    run: insertBatch,
    // While one batch is on its way the next is put together: at 1,000 a thousand callers were served in lockstep.
    maxItems: 500,
    maxBytes: BATCH_BYTES,
    bytes: (job) => job.payload.length,
    maxFlights: store.kind === 'postgres' ? 4 : 1,
    // A statement of a dozen jobs costs the server and PostgreSQL most of what one of a hundred does: 64 callers
    // at once were answered by 9,400 a second in small batches beside each other, and are by 10,800 after each other.
    smallBelow: 0.2,
  })

  const toNewJob = (input: unknown): NewJob => {
    const request = parsed(input, registry)
    const type = registry.find(request.type)
    const given = request.payload ?? {}
    registry.checkPayload(request.type, given)
    const payload = JSON.stringify(given)
    const createdAt = store.clock.now()
    const runAt = Math.max(
      createdAt,
      request.runAt?.getTime() ?? createdAt + (request.delayMs ?? 0),
    )
    const priority = request.priority ?? PRIORITY.default
    const { threadDemand, gang, maxThreads } = threadsOf(request, type.parallel)
    const expectedMs = request.expectedMs ?? null
    const timeoutMs = request.timeoutMs ?? type.timeoutMs
    const size = sizeClass(payload.length)
    const like = { type: request.type, sizeClass: size, expectedMs, timeoutMs }
    return {
      payload,
      idempotencyKey: request.idempotencyKey ?? null,
      // Named one by one: a spread is copied slowly. In the order of `toWaitingJob`: all jobs have one shape.
      job: {
        id: nextId(createdAt),
        name: request.name ?? request.type,
        type: request.type,
        priority,
        threadDemand,
        gang,
        width: null,
        widthReason: null,
        state: runAt > createdAt ? 'SCHEDULED' : 'QUEUED',
        rank: (order.fairShare ? parkedRank : rank)(priority, createdAt, order.agingMs),
        attempt: 0,
        maxAttempts: request.maxAttempts ?? type.maxAttempts,
        backoff: request.backoff ?? type.backoff,
        timeoutMs,
        attempts: [],
        createdAt,
        runAt,
        startedAt: null,
        finishedAt: null,
        nodeId: null,
        workerName: null,
        expectedMs,
        sizeClass: size,
        maxThreads,
        // '' is what forms send for none.
        fairnessKey: request.fairnessKey || null,
        fairCostMs: order.fairShare
          ? expectedCost(gang, estimator.runMs(asExpected(like, gang)))
          : null,
        cancelRequested: false,
        error: null,
        progress: null,
        queueTimeMs: null,
        executionTimeMs: null,
        totalTimeMs: null,
      },
    }
  }

  return async (requests) => {
    const jobs = requests.map((request, index) => {
      try {
        return toNewJob(request)
      } catch (error) {
        throw requests.length > 1 ? atIndex(error, index) : error
      }
    })
    const results = await inserts.add(jobs)
    if (results.some((result) => 'error' in result)) {
      throw new HeddleError('QUEUE_FULL', `The queue holds its limit of ${queueLimit} jobs`, {
        hint: 'Try again when jobs have finished, or raise QUEUE_LIMIT',
        retryAfterMs: 2000,
      })
    }
    return jobsOf(results.filter(isStored))
  }
}

/** Where an option is wrong, what is wrong with the payload is told as well: a second round helps nobody. */
function parsed(input: unknown, registry: Registry): SubmitRequest {
  try {
    return parseSubmitRequest(input)
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error
    const issues = [...error.issues, ...payloadIssues(input, registry)]
    throw new HeddleError(error.code, error.message, { issues })
  }
}

/** None where the type is not known either: nothing can be said of its payload then. */
function payloadIssues(input: unknown, registry: Registry): Issue[] {
  const { type, payload } = Object(input) as { type?: unknown; payload?: unknown }
  if (typeof type !== 'string') return []
  try {
    registry.checkPayload(type, payload ?? {})
    return []
  } catch (error) {
    return error instanceof HeddleError && error.code === 'INVALID_PAYLOAD' ? error.issues : []
  }
}

/** What a job asks for. A type with no parallel form gets one thread, whatever the range. */
function threadsOf(
  { threadDemand, threads }: SubmitRequest,
  parallel: boolean,
): Pick<Job, 'threadDemand' | 'gang' | 'maxThreads'> {
  const asked = threads ?? threadDemand ?? THREAD_DEMAND.default
  const { min, preferred, max } =
    typeof asked === 'number'
      ? { min: asked, preferred: asked, max: null }
      : { min: asked.min ?? 1, preferred: asked.preferred, max: asked.max ?? asked.preferred }
  return { threadDemand: preferred, gang: parallel ? min : 1, maxThreads: parallel ? max : null }
}

/** In a list of jobs an issue's path starts with the place of the job it is about. */
function atIndex(error: unknown, index: number): unknown {
  if (!(error instanceof HeddleError)) return error
  const issues = error.issues.length > 0 ? error.issues : [{ path: [], message: error.message }]
  return new HeddleError(error.code, `Job ${index}: ${error.message}`, {
    issues: issues.map((issue) => ({ ...issue, path: [index, ...issue.path] })),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}
