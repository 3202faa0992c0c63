import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { inject } from 'vitest'
import { openStore, type OpenOptions, type Store } from '../src/store/open.ts'
import { havePostgres, postgresUrl } from './services.ts'

export interface TestDatabase {
  kind: Store['kind']
  /** of a server */
  url: string | null
  store: Store
  /** closes the store and leaves nothing behind */
  drop(): Promise<void>
}

/** Runs one statement on the server that the tests' databases are made on. */
async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

/** An empty database of its own on the server, to be dropped by its `drop`. */
export async function createServerDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `heddle_test_${randomUUID().replaceAll('-', '')}`
  await administer(`CREATE DATABASE ${name}`)
  const url = new URL(postgresUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    drop: () => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  }
}

export async function openServerDatabase(
  options: Partial<OpenOptions> = {},
): Promise<TestDatabase & { url: string }> {
  const { url, drop } = await createServerDatabase()
  const store = await openStore({ dataDir: '', url, ...options })
  return {
    kind: 'postgres',
    url,
    store,
    async drop() {
      await store.close()
      await drop()
    },
  }
}

/** In memory, from the image that this run of the tests made. */
export async function openEmbeddedDatabase(): Promise<TestDatabase> {
  const store = await openStore({
    dataDir: 'memory://',
    image: readFileSync(inject('databaseImage')),
    migrations: false,
  })
  return { kind: 'embedded', url: null, store, drop: () => store.close() }
}

/** Both kinds, or only the embedded one where no server answers: for `describe.each`. */
export async function databases(): Promise<{ kind: string; open: () => Promise<TestDatabase> }[]> {
  const kinds = [{ kind: 'the embedded database', open: openEmbeddedDatabase }]
  if (await havePostgres()) kinds.push({ kind: 'PostgreSQL', open: openServerDatabase })
  return kinds
}

const tables = 'job, job_history, node, idempotency_key, metric_minute, job_type, fair_share'

/** Empties all tables. */
export async function emptyTables({ pool }: Store): Promise<void> {
  await pool.query(`TRUNCATE ${tables}`)
}
