import { z } from 'zod'
import { HeddleError, type Issue } from '../../core/errors.ts'
import { SubmitRequest } from '../../scheduler/submit-request.ts'
import { MAX_BATCH } from '../context.ts'

const { shape } = SubmitRequest

/** REST's names of what a submission may say, with the scheduler's own rules for each. Null is as good as absent. */
export const SubmitBody = z.strictObject({
  name: shape.name.nullable(),
  type: shape.type,
  payload: shape.payload,
  priority: shape.priority.nullable(),
  thread_demand: shape.threadDemand.nullable(),
  expected_ms: shape.expectedMs.nullable(),
  max_attempts: shape.maxAttempts.nullable(),
  timeout_ms: shape.timeoutMs.nullable(),
  delay_ms: shape.delayMs.nullable(),
  run_at: shape.runAt.nullable(),
  fairness_key: shape.fairnessKey.nullable(),
  idempotency_key: shape.idempotencyKey.nullable(),
  backoff: z.strictObject({ base_ms: z.int().min(0), max_ms: z.int().min(0) }).nullish(),
})

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase())
const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)

const fields = new Map(Object.keys(SubmitBody.shape).map((name) => [name, camel(name)]))
const backoffFields = new Map([
  ['base_ms', 'baseMs'],
  ['max_ms', 'maxMs'],
])

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Renames the known fields and refuses the others; their values are for the scheduler to judge. */
function rename(
  given: Record<string, unknown>,
  known: ReadonlyMap<string, string>,
  at: Issue['path'],
  issues: Issue[],
): Record<string, unknown> {
  const renamed: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const field = known.get(name)
    if (field === undefined) {
      const meant = known.has(snake(name)) ? `, did you mean "${snake(name)}"?` : ''
      issues.push({ path: [...at, name], message: `unknown field "${name}"${meant}` })
    } else {
      renamed[field] = value
    }
  }
  return renamed
}

function toRequest(body: unknown, at: Issue['path'], issues: Issue[]): unknown {
  if (!isObject(body)) {
    issues.push({ path: at, message: 'must be a JSON object' })
    return null
  }
  const request = rename(body, fields, at, issues)
  if (isObject(request.backoff)) {
    request.backoff = rename(request.backoff, backoffFields, [...at, 'backoff'], issues)
  }
  return request
}

function refuse(issues: Issue[]): never {
  const [issue] = issues
  throw new HeddleError('INVALID_JOB', `The job was refused: ${issue?.message ?? ''}`, { issues })
}

/** What the scheduler takes, of one job in REST's names. INVALID_JOB naming each unknown field. */
export function toSubmitRequest(body: unknown, idempotencyKey: string | undefined): unknown {
  const issues: Issue[] = []
  const request = toRequest(body, [], issues)
  if (issues.length > 0) refuse(issues)
  if (idempotencyKey === undefined || !isObject(request)) return request
  if (typeof request.idempotencyKey === 'string' && request.idempotencyKey !== idempotencyKey) {
    refuse([{ path: ['idempotency_key'], message: 'differs from the Idempotency-Key header' }])
  }
  return { ...request, idempotencyKey }
}

/** The same of `{ jobs: [...] }`. */
export function toSubmitRequests(body: unknown): unknown[] {
  if (!isObject(body) || !Array.isArray(body.jobs)) {
    return refuse([{ path: ['jobs'], message: 'jobs must be a list of jobs' }])
  }
  const issues: Issue[] = Object.keys(body)
    .filter((name) => name !== 'jobs')
    .map((name) => ({ path: [name], message: `unknown field "${name}"` }))
  const jobs: unknown[] = body.jobs
  if (jobs.length < 1 || jobs.length > MAX_BATCH) {
    issues.push({ path: ['jobs'], message: `jobs must have 1 to ${MAX_BATCH} items` })
  }
  if (issues.length > 0) refuse(issues)
  const requests = jobs.map((job, index) => toRequest(job, ['jobs', index], issues))
  if (issues.length > 0) refuse(issues)
  return requests
}

/** Leads an issue of the scheduler's to the place in what was sent to REST. */
export function inRestWords(error: unknown, batch: 'one' | number): unknown {
  if (!(error instanceof HeddleError)) return error
  const issues = error.issues.map(({ path, message }) => {
    if (batch === 'one') return { path: snakePath(path), message }
    const [index, ...rest] = batch > 1 ? path : [0, ...path]
    return { path: ['jobs', index ?? 0, ...snakePath(rest)], message }
  })
  const { hint, retryAfterMs, cause } = error
  return new HeddleError(error.code, error.message, {
    issues,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(cause === undefined ? {} : { cause }),
  })
}

/** Inside the payload the names are the job type's own. */
const snakePath = (path: Issue['path']): Issue['path'] =>
  path[0] === 'payload' ? path : path.map((part) => (typeof part === 'string' ? snake(part) : part))
