import { z } from 'zod'
import { EXPECTED_MS, MAX_ATTEMPTS, PRIORITY, THREAD_DEMAND } from '../core/job.ts'
import { FAIRNESS_KEY } from '../core/fair-share.ts'
import { HeddleError, type Issue } from '../core/errors.ts'

const DAY_MS = 86_400_000

const whole = (what: string, { min, max }: { min: number; max: number }) => {
  const message = `${what} must be a whole number from ${min} to ${max}`
  return z.int(message).min(min, message).max(max, message)
}

// Postgres text cannot hold NUL.
const text = (what: string, max: number) =>
  z
    .string(`${what} must be text`)
    .max(max, `${what} must have ${max} characters or less`)
    .refine((value) => !value.includes('\0'), `${what} must not contain the NUL character`)

const absent = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined)

/** How many threads a moldable job may run on. */
const ThreadRange = z
  .strictObject({
    min: absent(whole('least threads', THREAD_DEMAND)),
    preferred: whole('preferred threads', THREAD_DEMAND),
    max: absent(whole('most threads', THREAD_DEMAND)),
  })
  .refine(({ min, preferred }) => (min ?? 1) <= preferred, {
    error: 'least threads must not be above the preferred ones',
    path: ['min'],
  })
  .refine(({ preferred, max }) => preferred <= (max ?? preferred), {
    error: 'most threads must not be below the preferred ones',
    path: ['max'],
  })

const demandMessage = `thread demand must be a whole number from ${THREAD_DEMAND.min} to ${THREAD_DEMAND.max}`

/** What may be said of a job when it is submitted, the same through every door. */
export const SubmitRequest = z
  .strictObject({
    name: text('name', 200).optional(),
    type: text('type', 200).min(1, 'type must name a job type'),
    payload: z.unknown().optional(),
    priority: whole('priority', PRIORITY).optional(),
    threadDemand: z
      .union([whole('thread demand', THREAD_DEMAND), ThreadRange], {
        error: `${demandMessage}, or an object of preferred and, around it, min and max`,
      })
      .optional(),
    threads: ThreadRange.optional(),
    expectedMs: whole('expected run time in ms', EXPECTED_MS).optional(),
    maxAttempts: whole('max attempts', MAX_ATTEMPTS).optional(),
    timeoutMs: whole('time limit in ms', { min: 1, max: 7 * DAY_MS }).optional(),
    delayMs: whole('delay in ms', { min: 0, max: 3650 * DAY_MS }).optional(),
    runAt: z
      .union([z.date(), z.iso.datetime({ offset: true }).transform((iso) => new Date(iso))], {
        error: 'run at must be a date and time with its offset, e.g. 2030-01-31T09:00:00Z',
      })
      .optional(),
    fairnessKey: text('fairness key', FAIRNESS_KEY.max).optional(),
    idempotencyKey: text('idempotency key', 200)
      .min(1, 'idempotency key must not be empty')
      .optional(),
    backoff: z
      .strictObject({
        baseMs: whole('back-off base in ms', { min: 0, max: DAY_MS }),
        maxMs: whole('back-off limit in ms', { min: 0, max: 7 * DAY_MS }),
      })
      .refine((backoff) => backoff.baseMs <= backoff.maxMs, {
        error: 'back-off base must not be above its limit',
        path: ['baseMs'],
      })
      .optional(),
  })
  .refine((request) => request.delayMs === undefined || request.runAt === undefined, {
    error: 'give either a delay or a time to run at, not both',
    path: ['runAt'],
  })
  .refine(({ threadDemand, threads }) => threadDemand === undefined || threads === undefined, {
    error: 'give either a thread demand or a range of threads, not both',
    path: ['threads'],
  })

export type SubmitRequest = z.output<typeof SubmitRequest>

export const toIssues = (error: z.ZodError): Issue[] =>
  error.issues.map((issue) => ({ path: issue.path.map(pathPart), message: describe(issue) }))

const pathPart = (part: PropertyKey): string | number =>
  typeof part === 'symbol' ? String(part) : part

const describe = (issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys'
    ? `unknown field${issue.keys.length > 1 ? 's' : ''} ${issue.keys.map((key) => `"${key}"`).join(', ')}`
    : issue.message

/** What is null is as good as absent. Said once here, and not by every field, it takes half the time. */
function withoutNulls(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
  if (!Object.values(input).includes(null)) return input
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null))
}

/** Throws INVALID_JOB with one issue per wrong field. */
export function parseSubmitRequest(input: unknown): SubmitRequest {
  const parsed = SubmitRequest.safeParse(withoutNulls(input))
  if (parsed.success) return parsed.data
  const issues = toIssues(parsed.error)
  throw new HeddleError(
    'INVALID_JOB',
    `The job was refused: ${issues[0]?.message ?? 'it is malformed'}`,
    {
      issues,
    },
  )
}
