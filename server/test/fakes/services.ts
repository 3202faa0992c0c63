import { randomUUID } from 'node:crypto'
import type { ApiServices } from '../../src/api/context.ts'
import { createApi, type Api, type ApiDeps } from '../../src/api/http.ts'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { createCalibration } from '../../src/core/calibration.ts'
import { createDecisionLog, type Decision } from '../../src/core/decision-log.ts'
import { HeddleError } from '../../src/core/errors.ts'
import { isFinal, type Job, type WorkerView } from '../../src/core/job.ts'
import type { Forecast } from '../../src/core/what-if.ts'
import type { Schedule } from '../../src/scheduler/insight.ts'
import { parseSubmitRequest } from '../../src/scheduler/submit-request.ts'
import type { JobFilter, Page } from '../../src/store/read.ts'
import { createFakeFairShares } from './fair-shares.ts'
import { fakeJobTypes } from './job-types.ts'

/** What the doors need of the rest of the server, in memory: jobs move only when a test moves them. */
export interface FakeServices extends ApiServices {
  jobs: Map<string, Job>
  documentReads: string[][]
  workerViews: WorkerView[]
  /** changes a job and tells of it */
  change(id: string, patch: Partial<Job>): Job
  complete(id: string, result: unknown): Job
  /** makes the next call of the scheduler or the store throw this */
  failWith(error: Error): void
}

const matches = (job: Job, filter: JobFilter): boolean =>
  (!filter.states || filter.states.includes(job.state)) &&
  (!filter.types || filter.types.includes(job.type)) &&
  job.priority >= (filter.minPriority ?? -Infinity) &&
  job.priority <= (filter.maxPriority ?? Infinity) &&
  job.name.toLowerCase().includes((filter.name ?? '').toLowerCase())

function pageOf(jobs: Job[], size: number, after: string | null | undefined): Page<Job> {
  const from = after ? jobs.findIndex(({ id }) => `c_${id}` === after) + 1 : 0
  if (after && from === 0) throw new HeddleError('INVALID_CURSOR', 'The cursor is not of this list')
  const items = jobs.slice(from, from + size).map((node) => ({ node, cursor: `c_${node.id}` }))
  return {
    items,
    hasNext: from + size < jobs.length,
    hasPrevious: from > 0,
    totalCount: () => Promise.resolve(jobs.length),
  }
}

export function createFakeServices(): FakeServices {
  const bus = createMemoryBus()
  const jobs = new Map<string, Job>()
  const documents = new Map<string, { payload: string; result: string | null }>()
  const documentReads: string[][] = []
  const workerViews: WorkerView[] = []
  let failure: Error | undefined
  const mayFail = (): void => {
    const error = failure
    failure = undefined
    if (error !== undefined) throw error
  }
  const get = (id: string): Job => {
    const job = jobs.get(id)
    if (!job) throw new HeddleError('JOB_NOT_FOUND', `No job has the id ${id}`)
    return job
  }
  const change = (id: string, patch: Partial<Job>): Job => {
    const job = { ...get(id), ...patch }
    jobs.set(id, job)
    bus.publish('jobs', [job])
    return job
  }
  const toJob = (input: unknown): Job => {
    const request = parseSubmitRequest(input)
    const type = fakeJobTypes.find((known) => known.type === request.type)
    if (!type) throw new HeddleError('UNKNOWN_JOB_TYPE', `No job type is called ${request.type}`)
    const parsed = type.payload.safeParse(request.payload ?? {})
    if (!parsed.success) {
      const issues = parsed.error.issues.map(({ path, message }) => ({
        path: ['payload', ...path.map((part) => (typeof part === 'number' ? part : String(part)))],
        message,
      }))
      throw new HeddleError('INVALID_PAYLOAD', 'The payload does not fit', { issues })
    }
    const id = randomUUID()
    const now = Date.now()
    documents.set(id, { payload: JSON.stringify(parsed.data), result: null })
    return {
      ...blankJob,
      id,
      name: request.name ?? request.type,
      type: request.type,
      priority: request.priority ?? 0,
      threadDemand: typeof request.threadDemand === 'number' ? request.threadDemand : 1,
      fairnessKey: request.fairnessKey ?? null,
      maxAttempts: request.maxAttempts ?? 1,
      createdAt: now,
      runAt: request.runAt?.getTime() ?? now + (request.delayMs ?? 0),
    }
  }

  return {
    jobs,
    documentReads,
    workerViews,
    change,
    complete(id, result) {
      documents.set(id, { payload: '{}', ...documents.get(id), result: JSON.stringify(result) })
      const times = { queueTimeMs: 1, executionTimeMs: 2, totalTimeMs: 3 }
      return change(id, { state: 'COMPLETED', finishedAt: Date.now(), ...times })
    },
    failWith(error) {
      failure = error
    },
    bus,
    registry: { types: fakeJobTypes },
    scheduler: {
      async submit(requests) {
        mayFail()
        const made = requests.map((request, index) => {
          try {
            return toJob(request)
          } catch (error) {
            if (requests.length === 1 || !(error instanceof HeddleError)) throw error
            const issues = error.issues.length > 0 ? error.issues : [{ path: [], message: '' }]
            throw new HeddleError(error.code, error.message, {
              issues: issues.map((issue) => ({ ...issue, path: [index, ...issue.path] })),
            })
          }
        })
        for (const job of made) jobs.set(job.id, job)
        bus.publish('jobs', made)
        return made
      },
      async cancel(ids) {
        mayFail()
        return ids.map((id) => {
          if (isFinal(get(id).state)) throw new HeddleError('JOB_FINISHED', 'It has ended')
          return get(id).state === 'RUNNING'
            ? change(id, { cancelRequested: true })
            : change(id, { state: 'CANCELLED', finishedAt: Date.now() })
        })
      },
      async retry(id) {
        if (!isFinal(get(id).state)) throw new HeddleError('JOB_NOT_FINISHED', 'It has not ended')
        return change(id, { state: 'QUEUED', finishedAt: null, runAt: Date.now() + 1 })
      },
      workers: () => workerViews,
      stats: () => ({
        running: 0,
        threads: 12,
        busyThreads: 0,
        submitted: jobs.size,
        ended: { COMPLETED: 0, FAILED: 0, CANCELLED: 0 },
      }),
      insight: {
        schedule: (job) => Promise.resolve(job.state === 'QUEUED' ? blockedSchedule(job.id) : null),
        decisions: ({ jobId, limit }) =>
          decisions.filter((each) => jobId === undefined || each.jobId === jobId).slice(0, limit),
        decisionCounts: () => createDecisionLog().counts(),
        calibration: () => createCalibration().figures(),
      },
      whatIf: ({ workers = [] }) =>
        Promise.resolve({ ...emptyForecast, workers, truncated: false, complete: true }),
      fairShares: createFakeFairShares(),
      accepting: () => true,
    },
    read: {
      async job(id) {
        mayFail()
        return jobs.get(id) ?? null
      },
      async jobs(ids) {
        mayFail()
        return new Map(ids.flatMap((id) => [[id, jobs.get(id)]] as const).filter(isKnown))
      },
      async documents(ids) {
        documentReads.push(ids)
        return new Map(ids.flatMap((id) => [[id, documents.get(id)]] as const).filter(isKnown))
      },
      async active(filter, page) {
        mayFail()
        const found = [...jobs.values()]
          .filter((job) => !isFinal(job.state) && matches(job, filter))
          .reverse()
        return 'last' in page
          ? pageOf(found.reverse(), page.last, page.before)
          : pageOf(found, page.first, page.after)
      },
      async history(filter, { first, after }) {
        mayFail()
        const found = [...jobs.values()].filter((job) => isFinal(job.state) && matches(job, filter))
        return pageOf(found.reverse(), first, after)
      },
      async counts() {
        mayFail()
        const counts = { SCHEDULED: 0, QUEUED: 0, RUNNING: 0 }
        for (const { state } of jobs.values()) if (!isFinal(state)) counts[state] += 1
        return counts
      },
      metrics: () => Promise.resolve([]),
    },
  }
}

/** A job that needs eight threads, and is next in order. */
const blockedSchedule = (jobId: string): Schedule => ({
  position: 1,
  reason: 'RESERVED',
  reasons: ['It waits for 8 threads'],
  ahead: [],
  width: 8,
  freeThreads: 3,
  workers: [{ name: 'worker-2', threads: 8, free: 3 }],
  reservation: {
    jobId,
    workerName: 'worker-2',
    width: 8,
    since: 1000,
    startAt: 5000,
    promisedAt: 4000,
  },
  estimatedStart: { p50: 5000, p90: 6000 },
})

const emptyForecast: Forecast = {
  jobs: 0,
  left: 0,
  guessed: 0,
  waits: { meanMs: 0, p50Ms: 0, p90Ms: 0, maxMs: 0 },
  byType: [],
  utilization: 0,
  makespanMs: 0,
}

const decisions: Decision[] = [
  { at: 2000, jobId: 'large', workerName: 'worker-2', width: 8, kind: 'RESERVE', startAt: 5000 },
  {
    at: 1000,
    jobId: 'small',
    workerName: 'worker-1',
    width: 1,
    kind: 'START',
    reason: 'SPARE_THREADS',
  },
]

const isKnown = <Key, Value>(entry: readonly [Key, Value | undefined]): entry is [Key, Value] =>
  entry[1] !== undefined

const blankJob: Omit<Job, 'id' | 'name' | 'type'> = {
  maxThreads: null,
  expectedMs: null,
  sizeClass: 0,
  fairnessKey: null,
  fairCostMs: null,
  priority: 0,
  threadDemand: 1,
  gang: 1,
  width: null,
  widthReason: null,
  state: 'QUEUED',
  rank: 0,
  attempt: 0,
  maxAttempts: 1,
  backoff: { baseMs: 1000, maxMs: 60_000 },
  timeoutMs: 300_000,
  attempts: [],
  createdAt: 0,
  runAt: 0,
  startedAt: null,
  finishedAt: null,
  nodeId: null,
  workerName: null,
  cancelRequested: false,
  error: null,
  progress: null,
  queueTimeMs: null,
  executionTimeMs: null,
  totalTimeMs: null,
}

export const createFakeApi = (services: FakeServices, options: Partial<ApiDeps> = {}): Api =>
  createApi({ ...services, apiKeys: null, webRoot: '/nowhere', ...options })

interface Answer<Body> {
  status: number
  headers: Headers
  body: Body
}

/** Calls an API with no socket between, and reads JSON answers. */
export async function call<Body = Record<string, unknown>>(
  api: Api,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  const raw = typeof body === 'string' || body instanceof Uint8Array
  const response = await api.fetch(
    new Request(`http://localhost${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: (raw ? body : JSON.stringify(body)) as BodyInit }),
    }),
  )
  const text = await response.text()
  const json = /json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    body: (json && text !== '' ? JSON.parse(text) : text) as Body,
  }
}
