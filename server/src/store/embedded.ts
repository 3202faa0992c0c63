import { access, constants } from 'node:fs/promises'
import path from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { createPgConfig } from '@electric-sql/pglite/node-postgres'
import pg from 'pg'
import { toError } from '../core/errors.ts'
import { log } from '../log.ts'
import { lockFolder } from './lock.ts'
import { StoreOpenError } from './open-error.ts'
import { PGliteThread } from './pglite-thread.ts'
import { sessionSettings } from './session.ts'

/** Collects dead rows of the hot tables and teaches the planner their size; every fifth time, of all. */
const TEND_MS = 60_000
const TEND_ALL_EVERY = 5

const settings: readonly (readonly [name: string, value: string])[] = [
  ...sessionSettings,
  // By default up to 1 GB of write-ahead log stays on disk.
  ['max_wal_size', '96MB'],
  // The default of 128 MB takes 110 MB more of resident memory and 0.15 s of each start; what is not in it
  // comes from the system's own cache of files.
  ['shared_buffers', '16MB'],
]

export interface Engine {
  pool: pg.Pool
  hot: pg.Pool
  listen(channel: string, onNotification: () => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** PGlite under `dataDir`, or in memory for `memory://`. Throws StoreOpenError. */
export async function openEmbedded(dataDir: string, image?: Uint8Array): Promise<Engine> {
  const inMemory = dataDir.startsWith('memory://')
  const unlock = inMemory ? () => {} : await lockFolder(dataDir)
  const thread = new PGliteThread({
    dataDir: inMemory ? dataDir : path.join(dataDir, 'pg'),
    settings,
    image,
  })
  try {
    await thread.waitReady
    return engine(thread, embeddedPool(thread), unlock)
  } catch (thrown) {
    await thread.close().catch(() => {})
    unlock()
    throw await openError(dataDir, toError(thrown))
  }
}

async function openError(dataDir: string, cause: Error): Promise<StoreOpenError> {
  const writable = await access(dataDir, constants.W_OK).then(
    () => true,
    () => false,
  )
  const hint = writable
    ? 'Restore the folder from a copy, or move it away to start with an empty one.'
    : 'This user may not write there: set DATA_DIR to another folder.'
  return new StoreOpenError(
    `The embedded database in ${dataDir} does not open: ${cause.message}. ${hint}`,
    { cause },
  )
}

function engine(thread: PGliteThread, pool: pg.Pool, unlock: () => void): Engine {
  const listeners = new Map<string, Set<() => void>>()
  thread.onNotification = (channel) => {
    for (const listener of listeners.get(channel) ?? []) listener()
  }
  let round = 0
  const timer = setInterval(() => {
    round += 1
    tend(pool, round % TEND_ALL_EVERY === 0).catch((error: unknown) =>
      log.warn({ error: toError(error).message }, 'the embedded database could not be tended'),
    )
  }, TEND_MS).unref()

  return {
    pool,
    hot: pool,
    async listen(channel, onNotification) {
      const known = listeners.get(channel) ?? new Set()
      listeners.set(channel, known.add(onNotification))
      await pool.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
      return async () => void known.delete(onNotification)
    },
    async close() {
      clearInterval(timer)
      await pool.end()
      await thread.close()
      unlock()
    },
  }
}

/** What autovacuum and the checkpointer do on a server. With no ANALYZE a lookup by index takes 281 ms instead of 0.7. */
export async function tend(pool: pg.Pool, all: boolean): Promise<void> {
  if (!all) {
    await pool.query('VACUUM (ANALYZE) job, node')
    return
  }
  await pool.query('VACUUM (ANALYZE)')
  await pool.query('CHECKPOINT')
}

/** The engine as a pool of one connection. */
export function embeddedPool(engine: PGlite | PGliteThread): pg.Pool {
  const { connection, ...config } = createPgConfig(engine as PGlite)
  // Prisma's adapter gives `types: { getTypeParser }` where PGlite's module expects a list of type ids.
  const parse = connection.parse.bind(connection)
  connection.parse = (query: { types?: unknown }) =>
    parse(Array.isArray(query.types) ? query : { ...query, types: undefined })
  // PGlite has a single session; it must never be given back.
  const pool = new pg.Pool({
    ...config,
    connection,
    max: 1,
    idleTimeoutMillis: 0,
  } as unknown as pg.PoolConfig)
  pool.on('error', (error) =>
    log.error({ error: error.message.slice(0, 500) }, 'the embedded database failed'),
  )
  return pool
}
