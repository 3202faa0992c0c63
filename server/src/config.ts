import { hostname } from 'node:os'
import { z } from 'zod'

/** A wrong or missing variable: says which, why, and how to mend it. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

const wholeNumber = (min: number, max: number) =>
  z.coerce
    .number({ error: 'must be a whole number' })
    .int('must be a whole number')
    .min(min, `must be ${min} or more`)
    .max(max, `must be ${max} or less`)
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean),
)
const role = z.enum(['api', 'worker'], { error: 'must be api, worker, or both with a comma' })

/** One row per variable; `docs` and the README's table are checked against these keys. */
const Variables = z.object({
  API_PORT: wholeNumber(0, 65535).default(8080),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATABASE_URL: z.string().optional(),
  POSTGRES_HOST: z.string().default('127.0.0.1'),
  POSTGRES_PORT: wholeNumber(1, 65535).default(5432),
  POSTGRES_USER: z.string().default('postgres'),
  POSTGRES_PASSWORD: z.string().default(''),
  POSTGRES_DB: z.string().default('heddle'),
  DATABASE_POOL: wholeNumber(2, 1000).default(10),
  REDIS_URL: z.string().optional(),
  REDIS_HOST: z.string().default('127.0.0.1'),
  REDIS_PORT: wholeNumber(1, 65535).default(6379),
  REDIS_PASSWORD: z.string().default(''),
  KEY_PREFIX: z.string().default('heddle:'),
  DATA_DIR: z.string().min(1).default('.data'),
  JOBS_DIR: z.string().optional(),
  ROLES: list
    .pipe(z.array(role).min(1, 'must name at least one of api, worker'))
    .default(['api', 'worker']),
  WORKER_ISOLATION: z
    .enum(['process', 'thread'], { error: 'must be process or thread' })
    .default('process'),
  API_KEYS: list.optional(),
  AUTH: z.enum(['none'], { error: 'may only be none; to ask for keys, set API_KEYS' }).optional(),
  CORS_ORIGIN: list.default([]),
  NODE_NAME: z.string().min(1).max(200).optional(),
  QUEUE_LIMIT: wholeNumber(1, 1_000_000_000).default(1_000_000),
  BODY_LIMIT_MB: wholeNumber(1, 1024).default(32),
  LEASE_MS: wholeNumber(2_000, 600_000).default(10_000),
  SHUTDOWN_MS: wholeNumber(0, 3_600_000).default(20_000),
  CANCEL_GRACE_MS: wholeNumber(0, 60_000).default(200),
  HISTORY_DAYS: wholeNumber(0, 36_500).default(0),
  PRIORITY_AGING: wholeNumber(0, 31_536_000).default(0),
  FAIR_SHARE: z.enum(['off', 'on'], { error: 'must be on or off' }).default('off'),
  THREAD_MEMORY_MB: wholeNumber(16, 1_048_576).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

export interface Config {
  port: number
  host: string
  /** null: the embedded database under `dataDir` */
  databaseUrl: string | null
  databasePool: number
  /** null: events and cache stay in this process */
  redisUrl: string | null
  redisPrefix: string
  dataDir: string
  jobsDir: string | null
  roles: ('api' | 'worker')[]
  workers: { name: string; threads: number }[]
  isolation: 'process' | 'thread'
  /** null: no key is asked */
  apiKeys: string[] | null
  corsOrigins: string[]
  nodeName: string
  queueLimit: number
  bodyLimitBytes: number
  leaseMs: number
  shutdownMs: number
  cancelGraceMs: number
  /** 0 keeps history for ever */
  historyDays: number
  /** how many ms of waiting one step of priority is worth; null for strict priority */
  agingMs: number | null
  /** whether jobs of equal priority take turns by their fairness keys */
  fairShare: boolean
  /** false only in `bench/starvation.ts`, to show what a queue without promises does */
  reservations: boolean
  /** heap limit of one thread; null for Node's own */
  threadMemoryMb: number | null
  logLevel: string
}

type Environment = Record<string, string | undefined>

/** Reads the variables once. Throws ConfigError naming every wrong one. */
export function readConfig(environment: Environment): Config {
  // An empty value means unset: that is what `X=` in a compose file or .env says.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()))
  const parsed = Variables.safeParse(given)
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => {
        const name = String(issue.path[0])
        return `${name}=${JSON.stringify(given[name])}: ${issue.message}`
      })
  const workers = readWorkers(given, problems)
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems.join('\n'))
  const v = parsed.data
  if (v.ROLES.includes('worker') && workers.length === 0) {
    throw new ConfigError(
      'No worker has threads: set WORKER_1_THREADS=4, or ROLES=api for a node that runs no jobs',
    )
  }
  return {
    port: v.API_PORT,
    host: v.HOST,
    databaseUrl: v.DATABASE_URL ?? (means(given, 'POSTGRES_') ? postgresUrl(v) : null),
    databasePool: v.DATABASE_POOL,
    redisUrl: v.REDIS_URL ?? (means(given, 'REDIS_') ? redisUrl(v) : null),
    redisPrefix: v.KEY_PREFIX,
    dataDir: v.DATA_DIR,
    jobsDir: v.JOBS_DIR ?? null,
    roles: v.ROLES,
    workers: v.ROLES.includes('worker') ? workers : [],
    isolation: v.WORKER_ISOLATION,
    apiKeys: readKeys(v),
    corsOrigins: v.CORS_ORIGIN,
    nodeName: v.NODE_NAME ?? `${hostname()}:${process.pid}`,
    queueLimit: v.QUEUE_LIMIT,
    bodyLimitBytes: v.BODY_LIMIT_MB * 1024 * 1024,
    leaseMs: v.LEASE_MS,
    shutdownMs: v.SHUTDOWN_MS,
    cancelGraceMs: v.CANCEL_GRACE_MS,
    historyDays: v.HISTORY_DAYS,
    agingMs: v.PRIORITY_AGING > 0 ? v.PRIORITY_AGING * 1000 : null,
    fairShare: v.FAIR_SHARE === 'on',
    reservations: true,
    threadMemoryMb: v.THREAD_MEMORY_MB ?? null,
    logLevel: v.LOG_LEVEL,
  }
}

type Values = z.output<typeof Variables>

/** Whoever sets one of a service's variables means to use the service. */
const means = (given: Environment, prefix: string): boolean =>
  Object.keys(given).some((name) => name.startsWith(prefix))

const postgresUrl = (v: Values): string => {
  const user = encodeURIComponent(v.POSTGRES_USER)
  const password = v.POSTGRES_PASSWORD ? `:${encodeURIComponent(v.POSTGRES_PASSWORD)}` : ''
  return `postgresql://${user}${password}@${v.POSTGRES_HOST}:${v.POSTGRES_PORT}/${encodeURIComponent(v.POSTGRES_DB)}`
}

const redisUrl = (v: Values): string => {
  const password = v.REDIS_PASSWORD ? `:${encodeURIComponent(v.REDIS_PASSWORD)}@` : ''
  return `redis://${password}${v.REDIS_HOST}:${v.REDIS_PORT}`
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

/** Loopback asks for no key; any other address must be told who may come in, or that everybody may. */
function readKeys(v: Values): string[] | null {
  if (v.API_KEYS && v.API_KEYS.length > 0) {
    if (v.AUTH === 'none')
      throw new ConfigError('AUTH=none and API_KEYS contradict each other: unset one')
    const short = v.API_KEYS.filter((key) => key.length < 16)
    if (short.length > 0) {
      throw new ConfigError(
        'API_KEYS: each key needs 16 characters or more, e.g. from `openssl rand -hex 24`',
      )
    }
    return v.API_KEYS
  }
  if (isLoopback(v.HOST) || v.AUTH === 'none' || !v.ROLES.includes('api')) return null
  throw new ConfigError(
    `HOST=${v.HOST} can be reached from other machines and nothing says who may come in. ` +
      'Set API_KEYS=<key>[,<key>…] to ask for a bearer token, AUTH=none to let everybody in, or HOST=127.0.0.1',
  )
}

/** WORKER_<n>_THREADS for any n. With none set, two workers of 4 and 8 threads; 0 leaves a worker out. */
function readWorkers(given: Environment, problems: string[]): Config['workers'] {
  const sizes = new Map<number, number>([
    [1, 4],
    [2, 8],
  ])
  for (const [name, value] of Object.entries(given)) {
    const match = /^WORKER_(\d+)_THREADS$/.exec(name)
    if (!match) continue
    const threads = wholeNumber(0, 1024).safeParse(value)
    if (threads.success) sizes.set(Number(match[1]), threads.data)
    else
      problems.push(
        `${name}=${JSON.stringify(value)}: ${threads.error.issues[0]?.message ?? 'is wrong'}`,
      )
  }
  return [...sizes]
    .filter(([, threads]) => threads > 0)
    .sort(([a], [b]) => a - b)
    .map(([n, threads]) => ({ name: `worker-${n}`, threads }))
}
