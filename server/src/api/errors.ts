/**
 * One table of error codes for both doors: GraphQL gets `extensions`, REST gets problem details
 * (RFC 9457). What is not in the table is a fault of ours: masked outward, logged whole inward under an
 * id that the caller is given.
 */
import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import { HeddleError, type ErrorCode, type Issue } from '../core/errors.ts'
import { log } from '../log.ts'
import { apiResponse } from './headers.ts'

/** Codes that only make sense over HTTP stand beside those of the core. */
export type ProblemCode =
  | ErrorCode
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'FORBIDDEN_ORIGIN'
  | 'INTERNAL'

interface Kind {
  status: number
  title: string
}

const kinds: Record<ProblemCode, Kind> = {
  INVALID_JOB: { status: 400, title: 'The job is not valid' },
  INVALID_PAYLOAD: { status: 400, title: 'The payload does not fit the job type' },
  UNKNOWN_JOB_TYPE: { status: 400, title: 'No such job type' },
  INVALID_ARGUMENT: { status: 400, title: 'An argument is not valid' },
  INVALID_CURSOR: { status: 400, title: 'The cursor is not valid' },
  MALFORMED_JSON: { status: 400, title: 'The body is not valid JSON' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  JOB_NOT_FOUND: { status: 404, title: 'No such job' },
  JOB_FINISHED: { status: 409, title: 'The job has already ended' },
  JOB_NOT_FINISHED: { status: 409, title: 'The job has not ended yet' },
  IDEMPOTENCY_CONFLICT: { status: 409, title: 'The idempotency key belongs to another job' },
  UNAUTHENTICATED: { status: 401, title: 'An API key is needed' },
  QUEUE_FULL: { status: 429, title: 'The queue is full' },
  BUSY: { status: 429, title: 'Too much of this is asked at once' },
  STORE_UNAVAILABLE: { status: 503, title: 'The database cannot be reached' },
  SHUTTING_DOWN: { status: 503, title: 'This node is shutting down' },
  NOT_FOUND: { status: 404, title: 'Nothing is here' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This method is not supported here' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The content type is not supported' },
  FORBIDDEN_ORIGIN: { status: 403, title: 'Requests from this origin are refused' },
  INTERNAL: { status: 500, title: 'Unexpected error' },
}

export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: ProblemCode
  issues?: Issue[]
  hint?: string
}

interface ProblemOptions {
  issues?: Issue[]
  hint?: string | undefined
  headers?: Record<string, string>
}

/** An answer of `application/problem+json`. */
export function problem(code: ProblemCode, detail: string, options: ProblemOptions = {}): Response {
  const { status, title } = kinds[code]
  const body: Problem = {
    type: `urn:heddle:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail,
    code,
    ...(options.issues?.length ? { issues: options.issues } : {}),
    ...(options.hint === undefined ? {} : { hint: options.hint }),
  }
  return apiResponse(JSON.stringify(body), status, {
    'content-type': 'application/problem+json',
    ...options.headers,
  })
}

/** Logs a fault of ours and gives the id under which the log has it. */
function logFault(error: unknown, door: string): string {
  const id = randomUUID()
  log.error({ err: error, errorId: id }, `unexpected error in ${door}`)
  return id
}

/** Turns whatever a route threw into its answer; paths of issues in REST's own words. */
export function toProblem(error: unknown): Response {
  if (!(error instanceof HeddleError)) {
    return problem('INTERNAL', `Unexpected error (${logFault(error, 'REST')})`)
  }
  if (error.cause !== undefined) log.warn({ err: error }, error.message)
  const headers: Record<string, string> = {}
  if (error.retryAfterMs !== undefined) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)))
  }
  return problem(error.code, error.message, { issues: error.issues, hint: error.hint, headers })
}

/** Yoga's masking hook: keeps what a caller can act on, hides the rest. */
export function toGraphqlError(error: unknown): Error {
  const at = error instanceof GraphQLError ? error : undefined
  const origin = at ? at.originalError : error
  if (origin instanceof HeddleError) {
    if (origin.cause !== undefined) log.warn({ err: origin }, origin.message)
    return located(at, origin.message, {
      code: origin.code,
      ...(origin.issues.length > 0 ? { issues: origin.issues } : {}),
      ...(origin.hint === undefined ? {} : { hint: origin.hint }),
      ...(origin.retryAfterMs === undefined ? {} : { retryAfterMs: origin.retryAfterMs }),
    })
  }
  // Made by GraphQL itself: syntax, validation, a value that fits no type, a limit.
  if (at && (origin === undefined || origin instanceof GraphQLError)) return at
  return located(at, 'Unexpected error', { code: 'INTERNAL', errorId: logFault(origin, 'GraphQL') })
}

const located = (
  at: GraphQLError | undefined,
  message: string,
  extensions: Record<string, unknown>,
): GraphQLError =>
  new GraphQLError(message, {
    nodes: at?.nodes,
    source: at?.source,
    positions: at?.positions,
    path: at?.path,
    extensions,
  })
