import type pg from 'pg'
import type { PrismaClient } from '../generated/prisma/client.ts'
import { log } from '../log.ts'
import { createClock, type Clock } from './clock.ts'
import { openEmbedded } from './embedded.ts'
import { migrate } from './migrate.ts'
import { openServer, serverOpenError } from './server.ts'
import { toStoreError } from './unavailable.ts'

/** Clocks drift by some ms an hour, and jump when a machine sleeps. */
const CLOCK_SYNC_MS = 60_000
const POOL_SIZE = 10

/** The database: a PostgreSQL server or its embedded twin. Only this file and those it opens know which. */
export interface Store {
  /** Reads through Prisma, which is loaded when first asked for. STORE_UNAVAILABLE. */
  prisma<T>(read: (client: PrismaClient) => Promise<T>): Promise<T>
  pool: pg.Pool
  /** for what runs for every job and keeps leases: see `session.ts`. The same one where the database is embedded */
  hot: pg.Pool
  kind: 'postgres' | 'embedded'
  clock: Clock
  /** calls back for each NOTIFY on the channel, and after a time of not hearing; returns the way to stop */
  listen(channel: string, onNotification: () => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

export interface OpenOptions {
  /** of a PostgreSQL server; none opens the embedded database */
  url?: string | null | undefined
  /** of the embedded database; `memory://` keeps nothing */
  dataDir: string
  poolSize?: number
  /** a data folder made by PGlite's `dumpDataDir`, to start from */
  image?: Uint8Array
  /** false leaves the tables as they are */
  migrations?: boolean
}

/** Opens the database and brings its tables up to date. Throws StoreOpenError, which says how to mend what is wrong. */
export async function openStore(options: OpenOptions): Promise<Store> {
  const { url } = options
  return url ? openOnServer(url, options) : openHere(options)
}

async function openOnServer(url: string, options: OpenOptions): Promise<Store> {
  const engine = openServer(url, options.poolSize ?? POOL_SIZE)
  try {
    if (options.migrations !== false) {
      const client = engine.client()
      client.on('error', () => {}) // the query under way fails with it
      try {
        await client.connect()
        await migrate(client)
      } finally {
        await client.end().catch(() => {})
      }
    }
    return await assemble('postgres', engine)
  } catch (error) {
    await engine.close()
    throw serverOpenError(url, error)
  }
}

async function openHere(options: OpenOptions): Promise<Store> {
  const engine = await openEmbedded(options.dataDir, options.image)
  try {
    if (options.migrations !== false) {
      const client = await engine.pool.connect()
      try {
        await migrate(client)
      } finally {
        client.release()
      }
    }
    return await assemble('embedded', engine)
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function assemble(
  kind: Store['kind'],
  engine: Pick<Store, 'pool' | 'hot' | 'listen' | 'close'>,
): Promise<Store> {
  const clock = createClock(engine.pool)
  await clock.sync()
  const prisma = lazyPrisma(engine.pool)
  const timer = setInterval(() => {
    clock.sync().catch((error: unknown) => log.debug({ error }, 'the clock was not synced'))
  }, CLOCK_SYNC_MS).unref()
  return {
    kind,
    clock,
    prisma: prisma.read,
    pool: engine.pool,
    hot: engine.hot,
    listen: engine.listen,
    async close() {
      clearInterval(timer)
      await prisma.close()
      await engine.close()
    },
  }
}

/** Its modules take a tenth of the start-up time, and few statements need them. */
function lazyPrisma(pool: pg.Pool) {
  let client: Promise<PrismaClient> | null = null
  const load = async (): Promise<PrismaClient> => {
    const [{ PrismaPg }, { PrismaClient }] = await Promise.all([
      import('@prisma/adapter-pg'),
      import('../generated/prisma/client.ts'),
    ])
    return new PrismaClient({ adapter: new PrismaPg(pool) })
  }
  return {
    async read<T>(read: (client: PrismaClient) => Promise<T>): Promise<T> {
      try {
        return await read(await (client ??= load()))
      } catch (error) {
        throw toStoreError(error)
      }
    },
    close: async () => (await client)?.$disconnect(),
  }
}
