import { HeddleError, toError } from '../core/errors.ts'

/** Failures of the way to the database, and of a database that cannot take work just now. They pass by themselves. */
const PASSING_CODES = new Set([
  // of the network
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT', // of a unix socket
  // of PostgreSQL: see its list of error codes
  '25006', // read-only transaction: a standby after a failover
  '25P03', // idle transaction timeout: this process stood still
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock not available
  '57014', // statement timeout
  '57P01', // terminated by an administrator
  '57P02', // crash shutdown
  '57P03', // cannot connect now: starting up or shutting down
  '57P05', // idle session timeout
  '58030', // I/O error
  // of Prisma
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2037',
])
/** connection exceptions; insufficient resources (disk full, too many connections) */
const PASSING_CLASSES = new Set(['08', '53'])
/** pg has no code for these */
const PASSING_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|not queryable|pool after calling end|embedded database stopped|DriverAdapterError: (?:SocketTimeout|ConnectionClosed|DatabaseNotReachable)/

const RETRY_AFTER_MS = 1000
/** a full disk or exhausted connections take longer to mend than a restart */
const RETRY_AFTER_EXHAUSTED_MS = 5000

const codeOf = (error: Error): string => {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

export function isUnavailable(error: Error): boolean {
  const code = codeOf(error)
  if (PASSING_CODES.has(code)) return true
  if (code.length === 5 && PASSING_CLASSES.has(code.slice(0, 2))) return true
  if (PASSING_MESSAGES.test(error.message)) return true
  return error.cause instanceof Error && isUnavailable(error.cause)
}

/** What a store function throws: STORE_UNAVAILABLE for what passes by itself, anything else as it came. */
export function toStoreError(thrown: unknown): Error {
  const error = toError(thrown)
  if (error instanceof HeddleError || !isUnavailable(error)) return error
  const exhausted = codeOf(error).startsWith('53')
  return new HeddleError(
    'STORE_UNAVAILABLE',
    'The database cannot be reached or cannot take work',
    {
      hint: 'Try again shortly',
      retryAfterMs: exhausted ? RETRY_AFTER_EXHAUSTED_MS : RETRY_AFTER_MS,
      cause: error,
    },
  )
}
