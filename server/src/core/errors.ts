/** One wrong place in an input. `path` leads to it from the root of what was sent. */
export interface Issue {
  path: (string | number)[]
  message: string
}

/** Every error a caller can act on. Each door has its own mapping of these codes (`api/errors.ts`). */
export type ErrorCode =
  | 'INVALID_JOB'
  | 'INVALID_PAYLOAD'
  | 'UNKNOWN_JOB_TYPE'
  | 'INVALID_ARGUMENT'
  | 'INVALID_CURSOR'
  | 'MALFORMED_JSON'
  | 'BODY_TOO_LARGE'
  | 'JOB_NOT_FOUND'
  | 'JOB_FINISHED'
  | 'JOB_NOT_FINISHED'
  | 'IDEMPOTENCY_CONFLICT'
  | 'UNAUTHENTICATED'
  | 'QUEUE_FULL'
  | 'BUSY'
  | 'STORE_UNAVAILABLE'
  | 'SHUTTING_DOWN'

export interface ErrorDetails {
  issues?: Issue[]
  /** what the caller can do about it */
  hint?: string
  /** set on errors that pass by themselves: when to try again */
  retryAfterMs?: number
  cause?: unknown
}

/** An expected error. Anything else that is thrown is a fault of ours and is masked outward, logged inward. */
export class HeddleError extends Error {
  override name = 'HeddleError'
  readonly code: ErrorCode
  readonly issues: Issue[]
  readonly hint: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.issues = details.issues ?? []
    this.hint = details.hint
    this.retryAfterMs = details.retryAfterMs
  }
}

/** A catch clause receives anything; the rest of the code wants an Error. */
export const toError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown))
