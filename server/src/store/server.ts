import { Socket } from 'node:net'
import pg from 'pg'
import { HeddleError, toError } from '../core/errors.ts'
import { log } from '../log.ts'
import type { Engine } from './embedded.ts'
import { StoreOpenError } from './open-error.ts'
import { hotSettings, sessionSettings } from './session.ts'
import { toStoreError } from './unavailable.ts'

const CONNECT_MS = 5_000
/** The server gives up on a statement first; the connection is dropped where the server is not heard any more. */
const STATEMENT_MS = 30_000
const SILENT_MS = 35_000
const RELISTEN_MS = 1_000
/** Of the connections: what runs for every job, and heartbeats, never wait for one behind what people ask. */
const HOT_SHARE = 0.5

export interface ServerEngine extends Engine {
  /** a connection with no time limit on its statements, not yet connected */
  client(): pg.Client
}

/** `poolSize` connections to a PostgreSQL server, at least two, made when they are first used. */
export function openServer(url: string, poolSize: number): ServerEngine {
  const options = (...settings: (readonly [name: string, value: string])[]): string =>
    [...sessionSettings, ...settings].map(([name, value]) => `-c ${name}=${value}`).join(' ')
  const config = {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    application_name: 'heddle',
  }
  const openPool = (max: number, settings: typeof sessionSettings): pg.Pool => {
    const pool = new pg.Pool({
      ...config,
      max,
      options: options(
        ...settings,
        ['statement_timeout', String(STATEMENT_MS)],
        ['idle_in_transaction_session_timeout', String(STATEMENT_MS)],
      ),
    })
    // An idle connection that breaks would otherwise end the process.
    pool.on('error', (error) =>
      log.warn({ error: error.message }, 'an idle database connection broke'),
    )
    // Not by `query_timeout`: its timer for each statement kept what the statement was given and had read until V8
    // had marked all of its heap, two fifths of what the collector had to carry along in a drain. Idle connections are
    // closed by the pool long before.
    pool.on('connect', ({ connection: { stream } }) => {
      if (stream instanceof Socket) stream.setTimeout(SILENT_MS, () => stream.destroy())
    })
    return pool
  }
  const hotSize = Math.ceil(poolSize * HOT_SHARE)
  const pool = openPool(poolSize - hotSize, [])
  const hot = openPool(hotSize, hotSettings)
  const client = (): pg.Client => new pg.Client({ ...config, options: options() })

  return {
    pool,
    hot,
    client,
    listen: (channel, onNotification) => listen(client, channel, onNotification),
    async close() {
      await Promise.all([pool.end(), hot.end()])
    },
  }
}

/** Says in words why the server cannot be used. */
export function serverOpenError(url: string, thrown: unknown): Error {
  const error = toError(thrown)
  if (error instanceof StoreOpenError) return error
  const cause = error instanceof HeddleError && error.cause instanceof Error ? error.cause : error
  const where = describe(url)
  const { code } = cause as { code?: string }
  if (code === '3D000') {
    return new StoreOpenError(
      `PostgreSQL at ${where} has no such database. Create it with createdb, or set DATABASE_URL to another.`,
      { cause },
    )
  }
  if (code === '28P01' || code === '28000') {
    return new StoreOpenError(
      `PostgreSQL at ${where} refuses this user or password: ${cause.message}. See DATABASE_URL.`,
      { cause },
    )
  }
  if (code === '42501') {
    return new StoreOpenError(
      `This user may not create tables in ${where}: ${cause.message}. Grant CREATE on the schema, or run the migrations as its owner.`,
      { cause },
    )
  }
  if (toStoreError(error) instanceof HeddleError) {
    const why = cause.message || code || 'no answer'
    return new StoreOpenError(
      `PostgreSQL at ${where} does not answer: ${why}. Start it, or mend DATABASE_URL.`,
      { cause },
    )
  }
  return error
}

/** Host and database, never the password. */
function describe(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return `${host}${pathname}`
  } catch {
    return 'DATABASE_URL'
  }
}

/** Keeps one connection listening, and after a break tells once that something may have been missed. */
async function listen(
  newClient: () => pg.Client,
  channel: string,
  onNotification: () => void,
): Promise<() => Promise<void>> {
  let stopped = false
  let current: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined

  const connect = async (): Promise<void> => {
    const client = newClient()
    current = client
    const broke = (): void => {
      if (stopped || current !== client) return
      current = undefined
      timer = setTimeout(again, RELISTEN_MS).unref()
    }
    client.on('error', broke)
    client.on('end', broke)
    client.on('notification', (message) => message.channel === channel && onNotification())
    try {
      await client.connect()
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      broke()
      await client.end().catch(() => {})
      throw error
    }
  }
  const again = (): void => {
    connect().then(onNotification, () => {})
  }

  await connect().catch((error: unknown) =>
    log.warn({ error: toError(error).message }, 'the database cannot be listened to yet'),
  )
  return async () => {
    stopped = true
    clearTimeout(timer)
    await current?.end().catch(() => {})
  }
}
