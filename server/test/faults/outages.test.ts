import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectRedis } from '../../src/bus/connect.ts'
import { startTestApp, type RestJob, type TestApp } from '../app.ts'
import { createServerDatabase } from '../databases.ts'
import { startProxy, type Proxy } from '../proxy.ts'
import { dropPrefix, newPrefix } from '../redis.ts'
import { havePostgres, haveRedis, redisUrl } from '../services.ts'

const waitJob = `
import { defineJob } from 'heddle'
import { z } from 'zod'
export default defineJob({
  type: 'wait',
  payload: z.object({ ms: z.number() }),
  run: ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms, 'waited')),
})`

const ready = (await havePostgres()) && (await haveRedis())
const add = { type: 'add_numbers', payload: { a: 1, b: 2 } }

describe.skipIf(!ready)('outages of the services', () => {
  let folder: string
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let toPostgres: Proxy
  let toRedis: Proxy
  let app: TestApp
  let keyPrefix: string
  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-outages-'))
    writeFileSync(path.join(folder, 'wait.mjs'), waitJob)
    database = await createServerDatabase()
    toPostgres = await startProxy(database.url)
    toRedis = await startProxy(redisUrl)
    keyPrefix = newPrefix()
    app = await startTestApp({
      DATABASE_URL: toPostgres.through(database.url),
      REDIS_URL: toRedis.through(redisUrl),
      KEY_PREFIX: keyPrefix,
      JOBS_DIR: folder,
    })
  })
  afterEach(async () => {
    toPostgres.mend()
    toRedis.mend()
    await app.close()
    await toPostgres.close()
    await toRedis.close()
    await database.drop()
    await dropPrefix(keyPrefix)
    rmSync(folder, { recursive: true, force: true })
  })

  const submitted = async (job: unknown): Promise<RestJob> => {
    const { status, body } = await app.post('/jobs', job)
    expect(status).toBe(201)
    return body
  }

  const cached = async (id: string): Promise<string | null> => {
    const redis = connectRedis(redisUrl, 'subscriber')
    const entry = await redis.get(`{${keyPrefix}job}:${id}`)
    await redis.quit()
    return entry
  }

  it('of PostgreSQL refuse submissions with a 503 that says when to try again, and pass by themselves', async () => {
    toPostgres.cut()
    const refused = await fetch(`${app.url}/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(add),
    })
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' })

    toPostgres.mend()
    await vi.waitFor(async () => expect((await app.post('/jobs', add)).status).toBe(201), 10_000)
  })

  it('of PostgreSQL leave running jobs alone: their results are kept until they can be written', async () => {
    const { id } = await submitted({ type: 'wait', payload: { ms: 400 } })
    await vi.waitFor(async () => {
      const { body } = await app.get(`/jobs/${id}`)
      expect((body as RestJob).state).toBe('RUNNING')
    })
    toPostgres.cut()
    await vi.waitFor(() => expect(app.app.scheduler.stats().running).toBe(0), 5_000)
    toPostgres.mend()
    expect(await app.ended(id)).toMatchObject({ state: 'COMPLETED', result: 'waited', attempt: 1 })
  })

  it('of all PostgreSQL backends at once lose nothing that was accepted', async () => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const accepted: string[] = []
    for (let round = 0; round < 5; round += 1) {
      const answers = Promise.all(Array.from({ length: 20 }, () => app.post('/jobs', add)))
      await client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
      for (const { status, body } of await answers) {
        expect([201, 503]).toContain(status)
        if (status === 201) accepted.push((body as RestJob).id)
      }
    }
    await client.end()
    const jobs = await Promise.all(accepted.map((id) => vi.waitFor(() => app.ended(id), 15_000)))
    expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['COMPLETED']))
  })

  it('of PostgreSQL strand no job whose claim is committed long after its answer was lost', async () => {
    // Before its first look at the table a node does not know that nothing waits, and claims a job after its insert.
    await app.ended((await submitted(add)).id)
    // A statement that waits for a lock does not notice that its client is gone, and ends well when it gets it.
    const pool = new pg.Pool({ connectionString: database.url })
    const holder = await pool.connect()
    try {
      await holder.query('BEGIN')
      await holder.query('SELECT id FROM node FOR UPDATE')
      const refused = app.post('/jobs', add)
      await vi.waitFor(async () => {
        const { rowCount } = await pool.query(
          "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'WITH lease%'",
        )
        expect(rowCount).toBe(1)
      }, 5_000)
      toPostgres.cut()
      // With 201 it was stored a moment before its claim: that has no answer either.
      expect([503, 201]).toContain((await refused).status)
      toPostgres.mend()
      // The node looks at what it holds a second after the outage, and finds nothing yet.
      await sleep(2_500)
      await holder.query('COMMIT')
      await vi.waitFor(
        async () => {
          const { rows } = await pool.query(
            'SELECT state, attempt FROM job UNION ALL SELECT state, attempt FROM job_history',
          )
          const completed = { state: 'COMPLETED', attempt: 1 }
          expect(rows).toEqual([completed, completed])
        },
        { timeout: 15_000, interval: 100 },
      )
    } finally {
      holder.release()
      await pool.end()
    }
  })

  it('of Redis change nothing but the health: jobs run, and events come again after it', async () => {
    toRedis.cut()
    const { id } = await submitted(add)
    expect(await app.ended(id)).toMatchObject({ state: 'COMPLETED', result: 3 })
    await vi.waitFor(async () => {
      const { body } = await app.get('/readyz')
      expect(body).toMatchObject({ bus: 'degraded' })
    }, 5_000)
    toRedis.mend()
    await vi.waitFor(async () => {
      const { body } = await app.get('/readyz')
      expect(body).toMatchObject({ bus: 'ok' })
    }, 15_000)
  })

  it('of Redis keep nobody waiting who watches a job at another node, nor tell them what it was before', async () => {
    const front = await startTestApp({
      DATABASE_URL: database.url,
      REDIS_URL: redisUrl,
      KEY_PREFIX: keyPrefix,
      JOBS_DIR: folder,
      ROLES: 'api',
    })
    const { id } = await submitted({ type: 'wait', payload: { ms: 2000 } })
    const response = await fetch(`${front.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: `subscription { jobUpdated(id: "${id}") { state } }` }),
    })
    const states: string[] = []
    const reading = (async () => {
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
        states.push(...(text.match(/(?<="state":")\w+/g) ?? []))
        if (states.includes('COMPLETED')) break
      }
    })()
    await vi.waitFor(() => expect(states).toContain('RUNNING'), 5000)
    // So long that it is in the cache as it runs.
    await vi.waitFor(async () => expect(await cached(id)).toContain('"RUNNING"'), 5000)
    toRedis.cut()
    await vi.waitFor(() => expect(app.app.scheduler.stats().ended.COMPLETED).toBe(1), 10_000)
    expect(states).not.toContain('COMPLETED')
    toRedis.mend()
    await reading
    expect((await front.get(`/jobs/${id}`)).body).toMatchObject({ state: 'COMPLETED' })
    await front.close()
  })
})
