import { readdirSync } from 'node:fs'
import path from 'node:path'
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { HeddleError } from '../../src/core/errors.ts'
import { claimJobs } from '../../src/store/claim.ts'
import { findJobs } from '../../src/store/find.ts'
import { insertJobs } from '../../src/store/insert.ts'
import { listenWake } from '../../src/store/listen.ts'
import { heartbeat, registerNode } from '../../src/store/nodes.ts'
import { StoreOpenError } from '../../src/store/open-error.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { peekQueued } from '../../src/store/peek.ts'
import { promoteDue } from '../../src/store/promote.ts'
import { createRead } from '../../src/store/read.ts'
import { createMemoryCache } from '../../src/store/cache/memory.ts'
import { rescueLost } from '../../src/store/rescue.ts'
import { settleJobs } from '../../src/store/settle.ts'
import { createServerDatabase } from '../databases.ts'
import { newJobs } from '../new-jobs.ts'
import { startProxy, type Proxy } from '../proxy.ts'
import { havePostgres, postgresUrl } from '../services.ts'
import { claimOf, settlementOf } from '../store-tools.ts'

const LIMIT = { queueLimit: 1_000_000 }
const PEEK = { limit: 10, maxGang: 1, clusterMaxGang: 1 }
const unavailable = { code: 'STORE_UNAVAILABLE' }

describe.runIf(await havePostgres())('trouble with PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let proxy: Proxy
  let admin: pg.Client
  let store: Store

  beforeEach(async () => {
    database = await createServerDatabase()
    proxy = await startProxy(postgresUrl)
    store = await openStore({ url: proxy.through(database.url), dataDir: '', poolSize: 4 })
    admin = new pg.Client({ connectionString: postgresUrl })
    await admin.connect()
  })
  afterEach(async () => {
    proxy.mend()
    await store.close()
    await admin.end()
    await proxy.close()
    await database.drop()
  })
  const name = () => new URL(database.url).pathname.slice(1)
  const terminateAll = () =>
    admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
      name(),
    ])

  test(
    'a statement whose server is not heard any more does not wait for ever',
    { timeout: 60_000 },
    async () => {
      await peekQueued(store, PEEK)
      proxy.stall()
      await expect(peekQueued(store, PEEK)).rejects.toMatchObject(unavailable)
      proxy.mend()
      expect(await peekQueued(store, PEEK)).toEqual([])
    },
  )

  test('every call says STORE_UNAVAILABLE with a time to wait while it is away, and works after', async () => {
    const id = randomUUID()
    const jobs = newJobs(2)
    const calls: (() => Promise<unknown>)[] = [
      () => insertJobs(store, jobs, LIMIT),
      () => peekQueued(store, PEEK),
      () => claimJobs(store, id, [claimOf(jobs[0]!.job)]),
      () => settleJobs(store, id, [settlementOf(jobs[0]!.job)]),
      () => heartbeat(store, { id, workers: [] }),
      () => promoteDue(store),
      () => rescueLost(store, { leaseMs: 1000, error: { name: 'E', message: 'm' } }),
      () => createRead(store, createMemoryCache()).metrics(1000),
      () => store.clock.sync(),
    ]
    await peekQueued(store, PEEK)
    proxy.cut()
    for (const call of calls) {
      const error = await call().then(
        () => null,
        (thrown: unknown) => thrown,
      )
      expect(error).toBeInstanceOf(HeddleError)
      expect(error).toMatchObject(unavailable)
      expect((error as HeddleError).retryAfterMs).toBeGreaterThanOrEqual(1000)
      expect((error as HeddleError).cause).toBeInstanceOf(Error)
    }
    proxy.mend()
    for (const call of calls) await call()
  })

  test('what was acknowledged while backends are killed is there, once', async () => {
    const acknowledged: string[] = []
    let refused = 0
    let kills = 0
    const lane = async (): Promise<void> => {
      while (kills < 5 || refused === 0) {
        const jobs = newJobs(20)
        try {
          await insertJobs(store, jobs, LIMIT)
          acknowledged.push(...jobs.map(({ job }) => job.id))
        } catch (error) {
          expect(error).toMatchObject(unavailable)
          refused += 1
        }
        // The other lanes are in the middle of something then.
        if (acknowledged.length > 400 * (kills + 1)) {
          kills += 1
          await terminateAll()
        }
      }
    }
    await Promise.all([lane(), lane(), lane()])
    expect(refused).toBeGreaterThan(0)
    await vi.waitFor(async () => {
      expect((await findJobs(store, acknowledged)).size).toBe(acknowledged.length)
    })
  })

  test('an outcome of unknown fate can be settled again', async () => {
    const nodeId = randomUUID()
    await registerNode(store, { id: nodeId, name: 'n', roles: [], workers: [], maxThreads: 1 })
    const jobs = newJobs(200)
    await insertJobs(store, jobs, LIMIT)
    const claimed = await claimJobs(
      store,
      nodeId,
      jobs.map(({ job }) => claimOf(job)),
    )
    const settlements = claimed.map(({ job }) => settlementOf(job))
    const first = settleJobs(store, nodeId, settlements).catch((error: unknown) => error)
    proxy.cut()
    await first
    proxy.mend()
    await settleJobs(store, nodeId, settlements)
    const found = await findJobs(
      store,
      jobs.map(({ job }) => job.id),
    )
    expect([...found.values()].filter(({ state }) => state === 'COMPLETED')).toHaveLength(200)
  })

  test('leases and jobs do not wait for a connection behind what people ask', async () => {
    const id = randomUUID()
    await registerNode(store, { id, name: 'n', roles: [], workers: [], maxThreads: 1 })
    const [job] = newJobs(1)
    await insertJobs(store, [job!], LIMIT)
    const held = await Promise.all([store.pool.connect(), store.pool.connect()])
    try {
      expect(await heartbeat(store, { id, workers: [] })).toMatchObject({ alive: true })
      expect(await claimJobs(store, id, [claimOf(job!.job)])).toHaveLength(1)
    } finally {
      for (const client of held) client.release()
    }
  })

  test('no more connections is STORE_UNAVAILABLE too', async () => {
    // A role of this test's own: limits do not hold for superusers, and the tests' own user is shared.
    const role = name()
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'limited' CONNECTION LIMIT 1`)
    try {
      const url = new URL(database.url)
      url.username = role
      url.password = 'limited'
      const limited = await openStore({
        url: url.href,
        dataDir: '',
        migrations: false,
        poolSize: 4,
      })
      const busy = await limited.pool.connect()
      await expect(limited.clock.sync()).rejects.toMatchObject({
        ...unavailable,
        cause: { code: '53300' },
      })
      busy.release()
      await limited.clock.sync()
      await limited.close()
    } finally {
      await admin.query(`DROP ROLE ${role}`)
    }
  })

  test('a server that has become read-only is STORE_UNAVAILABLE for who writes', async () => {
    await admin.query(`ALTER DATABASE ${name()} SET default_transaction_read_only = on`)
    await terminateAll()
    const insert = () => insertJobs(store, newJobs(1), LIMIT)
    await vi.waitFor(async () => {
      await expect(insert()).rejects.toMatchObject({ cause: { code: '25006' } })
    })
    await expect(insert()).rejects.toMatchObject(unavailable)
    await admin.query(`ALTER DATABASE ${name()} RESET default_transaction_read_only`)
    await terminateAll()
    await vi.waitFor(insert)
  })

  test('after its connection broke the listener listens again, and looks for what it missed', async () => {
    const woken = vi.fn()
    const stop = await listenWake(store, woken)
    await terminateAll()
    await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(1), 10_000)
    await vi.waitFor(() => store.pool.query(`SELECT pg_notify('heddle_wake', '')`))
    await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(2))
    await stop()
  })
})

describe.runIf(await havePostgres())('opening a database on PostgreSQL', () => {
  test('many processes at once make the tables once', async () => {
    const database = await createServerDatabase()
    const stores = await Promise.all(
      Array.from({ length: 5 }, () => openStore({ url: database.url, dataDir: '', poolSize: 2 })),
    )
    const { rows } = await stores[0]!.pool.query<{ migration_name: string }>(
      'SELECT migration_name FROM _prisma_migrations ORDER BY migration_name',
    )
    const folder = path.resolve(import.meta.dirname, '../../../prisma/migrations')
    const all = readdirSync(folder).filter((name) => /^\d/.test(name))
    expect(rows.map(({ migration_name }) => migration_name)).toEqual(all.toSorted())
    await Promise.all(stores.map((store) => store.close()))
    await database.drop()
  })

  test('a database of a newer version is left alone', async () => {
    const database = await createServerDatabase()
    const options = { url: database.url, dataDir: '' }
    const store = await openStore(options)
    await store.pool.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
       VALUES ('x', 'x', '99990101000000_later', now())`,
    )
    await store.close()
    const opening = openStore(options)
    await expect(opening).rejects.toThrow(StoreOpenError)
    await expect(opening).rejects.toThrow(/newer version.*99990101000000_later/)
    await database.drop()
  })

  const elsewhere = (change: (url: URL) => void): string => {
    const url = new URL(postgresUrl)
    change(url)
    return url.href
  }
  test.each([
    [
      'a database that is not there',
      elsewhere((url) => (url.pathname = '/heddle_nowhere')),
      /no such database.*createdb/,
    ],
    [
      'a server that is not there',
      elsewhere((url) => (url.host = '127.0.0.1:1')),
      /127\.0\.0\.1:1.*does not answer.*DATABASE_URL/,
    ],
  ])('%s is told with what to do', async (_, url, message) => {
    const opening = openStore({ url, dataDir: '' })
    await expect(opening).rejects.toThrow(StoreOpenError)
    await expect(opening).rejects.toThrow(message)
  })
})
