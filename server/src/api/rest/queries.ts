import { z } from 'zod'
import { HeddleError } from '../../core/errors.ts'
import { jobStates, PRIORITY } from '../../core/job.ts'
import type { JobFilter } from '../../store/read.ts'
import { PAGE, possibleTypes } from '../context.ts'
import type { Include } from './job-view.ts'

const list = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)

const whole = (name: string, { min, max }: { min: number; max: number }) => {
  const message = `${name} must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^[+-]?\d{1,9}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message)
}

const priority = { min: -999_999_999, max: 999_999_999 }

/** What a list of jobs may be asked for. */
export const ListQuery = z.strictObject({
  state: z
    .string()
    .transform((text) => list(text.toUpperCase()))
    .pipe(z.array(z.enum(jobStates, { error: `state must be of ${jobStates.join(', ')}` })))
    .optional()
    .describe('States, with commas between them'),
  type: z.string().transform(list).optional().describe('Job types, with commas between them'),
  priority_min: whole('priority_min', priority).optional(),
  priority_max: whole('priority_max', priority).optional(),
  name: z.string().optional().describe('Part of the name, in any case'),
  limit: whole('limit', PAGE).optional().describe(`${PAGE.default} unless told`),
  cursor: z.string().optional().describe('next_cursor of the page before'),
  include: z
    .string()
    .transform(list)
    .pipe(z.array(z.enum(['payload', 'result'], { error: 'include may name payload and result' })))
    .optional()
    .describe('payload, result or both: large, so left out of lists unless asked for'),
})

/** What one job may be asked for. */
export const JobQuery = z.object({
  include: z
    .string()
    .transform(list)
    .pipe(
      z.array(
        z.enum(['payload', 'result', 'schedule'], {
          error: 'include may name schedule, and payload and result, which are there anyway',
        }),
      ),
    )
    .optional()
    .describe('schedule: why a queued job waits and when it is expected to start'),
})

/** INVALID_ARGUMENT */
export const parseJobQuery = (parameters: URLSearchParams): z.output<typeof JobQuery> =>
  parse(JobQuery, parameters)

export interface ListRequest {
  filter: JobFilter
  first: number
  after: string | null
  include: Include[]
}

/** INVALID_ARGUMENT with an issue per wrong or unknown parameter. */
export function parseListQuery(parameters: URLSearchParams): ListRequest {
  const query = parse(ListQuery, parameters)
  return {
    filter: toFilter(query),
    first: query.limit ?? PAGE.default,
    after: query.cursor || null,
    include: query.include ?? [],
  }
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  parameters: URLSearchParams,
): z.output<Schema> {
  const given = new Map<string, string>()
  // A parameter given twice means both values.
  for (const [name, value] of parameters) {
    const before = given.get(name)
    given.set(name, before === undefined ? value : `${before},${value}`)
  }
  const parsed = schema.safeParse(Object.fromEntries(given))
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map((issue) => ({
    path: issue.path.map((part) => (typeof part === 'number' ? part : String(part))),
    message:
      issue.code === 'unrecognized_keys'
        ? `unknown parameter ${issue.keys.map((key) => `"${key}"`).join(', ')}`
        : issue.message,
  }))
  throw new HeddleError('INVALID_ARGUMENT', issues[0]?.message ?? 'The query is not valid', {
    issues,
  })
}

function toFilter(query: z.output<typeof ListQuery>): JobFilter {
  const { priority_min: min = PRIORITY.min, priority_max: max = PRIORITY.max } = query
  if (query.priority_min !== undefined && query.priority_max !== undefined && min > max) {
    throw new HeddleError('INVALID_ARGUMENT', 'priority_min is above priority_max', {
      issues: [{ path: ['priority_min'], message: 'is above priority_max' }],
    })
  }
  return {
    ...(query.state?.length ? { states: query.state } : {}),
    ...(query.type?.length ? { types: possibleTypes(query.type) } : {}),
    ...(query.priority_min === undefined ? {} : { minPriority: min }),
    ...(query.priority_max === undefined ? {} : { maxPriority: max }),
    ...(query.name ? { name: query.name } : {}),
  }
}
