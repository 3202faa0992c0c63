import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp, type TestApp } from '../app.ts'
import { createServerDatabase } from '../databases.ts'
import { startServerProcess } from '../server-process.ts'
import { havePostgres } from '../services.ts'

const jobTypes = `
import { appendFileSync, existsSync } from 'node:fs'
import { defineJob } from 'heddle'
import { z } from 'zod'
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export default defineJob({
  type: 'tick',
  payload: z.object({ n: z.number(), gate: z.string().optional(), note: z.string().optional() }),
  async run({ n, gate, note }) {
    if (note) appendFileSync(note, n + '\\n')
    while (gate && !existsSync(gate)) await sleep(5)
    if (n < 0) throw new Error('below zero')
    return n
  },
})`

/** So many short jobs that a lone node claims them shortly: docs/decisions/0012. */
const MANY = 20_000
const WAITING = 60_000

describe.runIf(await havePostgres())('short claims of a node that is alone', () => {
  let folder: string
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let admin: pg.Client
  const apps: TestApp[] = []
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-short-'))
    writeFileSync(path.join(folder, 'types.mjs'), jobTypes)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  beforeEach(async () => {
    database = await createServerDatabase()
    admin = new pg.Client({ connectionString: database.url })
    await admin.connect()
  })
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()))
    await admin.end()
    await database.drop()
  })

  const variables = (): Record<string, string> => ({
    DATABASE_URL: database.url,
    JOBS_DIR: folder,
    QUEUE_LIMIT: '1000000',
  })
  const rows = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> =>
    (await admin.query<Row>(text)).rows
  const histories = () =>
    rows(`SELECT state, attempt, count(*)::int FROM job_history WHERE type = 'tick' GROUP BY 1, 2`)
  const allCompleted = (count: number) =>
    vi.waitFor(
      async () => expect(await histories()).toEqual([{ state: 'COMPLETED', attempt: 1, count }]),
      { timeout: WAITING, interval: 100 },
    )
  /** Processes of PostgreSQL that hold rows for a short claim. */
  const open = async (): Promise<number[]> =>
    (
      await rows<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND state = 'idle in transaction' AND query LIKE '%FOR UPDATE OF job SKIP LOCKED%'`,
      )
    ).map(({ pid }) => pid)
  const someOpen = () =>
    vi.waitFor(async () => expect((await open()).length).toBeGreaterThan(0), {
      timeout: WAITING,
      interval: 1,
    })

  /** Puts them in the queue from outside, so that the node finds many of them waiting. */
  const enqueue = (count: number, payload = `json_build_object('n', n)`) =>
    rows(`SELECT count(heddle_enqueue('tick', ${payload})) FROM generate_series(1, ${count}) AS n`)

  /** One that knows how short they are. */
  const startApp = async (more: Record<string, string> = {}): Promise<TestApp> => {
    const app = await startTestApp({ ...variables(), ...more })
    apps.push(app)
    await taught()
    return app
  }
  const taught = async (): Promise<void> => {
    await enqueue(1000)
    await allCompleted(1000)
    await admin.query('TRUNCATE job_history')
  }

  it('become claims for good where a job lasts, which can then be seen and cancelled', async () => {
    const app = await startApp()
    const gate = path.join(folder, 'never')
    await enqueue(
      MANY,
      `json_strip_nulls(json_build_object('n', n, 'gate', CASE n WHEN 5000 THEN '${gate}' END))`,
    )
    await someOpen()
    const lasting = await vi.waitFor(async () => {
      const found = await rows<{ id: string }>(
        `SELECT id, attempt, worker_name FROM job WHERE state = 'RUNNING' AND payload->>'gate' IS NOT NULL`,
      )
      expect(found).toMatchObject([{ attempt: 1, worker_name: 'worker-1' }])
      return found[0]!
    }, WAITING)
    expect((await app.get(`/jobs/${lasting.id}`)).body).toMatchObject({ state: 'RUNNING' })
    await fetch(`${app.url}/jobs/${lasting.id}`, { method: 'DELETE' })
    expect(await app.ended(lasting.id)).toMatchObject({ state: 'CANCELLED', attempt: 1 })
    await vi.waitFor(async () => {
      const ended = await histories()
      expect(ended).toContainEqual({ state: 'COMPLETED', attempt: 1, count: MANY - 1 })
      expect(ended).toHaveLength(2)
    }, WAITING)
  })

  it('keep what became of each of their jobs', async () => {
    await startApp()
    await enqueue(MANY, `json_build_object('n', CASE n % 2000 WHEN 0 THEN -n ELSE n END)`)
    await someOpen()
    await vi.waitFor(async () => {
      const ended = await histories()
      expect(ended).toContainEqual({ state: 'COMPLETED', attempt: 1, count: MANY - 10 })
      expect(ended).toContainEqual({ state: 'FAILED', attempt: 3, count: 10 })
    }, WAITING)
    const wrong = `SELECT id FROM job_history WHERE (state = 'COMPLETED') <> (payload->>'n' = result::text)
      OR (state = 'FAILED') <> (error->>'message' = 'below zero')`
    expect(await rows(wrong)).toEqual([])
  })

  it('lose nothing where their connections break: what ran under them ends as it would have', async () => {
    await startApp()
    const note = path.join(folder, 'note')
    await enqueue(2 * MANY, `json_build_object('n', n, 'note', '${note}')`)
    for (let round = 0; round < 5; round += 1) {
      await someOpen()
      await admin.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [
        await open(),
      ])
    }
    await allCompleted(2 * MANY)
    expect(await rows('SELECT id FROM job')).toEqual([])
    const ran = readFileSync(note, 'utf8').trim().split('\n')
    expect({ ran: ran.length, jobs: new Set(ran).size }).toEqual({ ran: 2 * MANY, jobs: 2 * MANY })
  })

  it('leave their jobs to the next node, at once and at no attempt, where theirs is killed', async () => {
    const lease = { LEASE_MS: '2000' }
    const first = await startServerProcess({ ...variables(), ...lease })
    await taught()
    await enqueue(MANY)
    await someOpen()
    first.signal('SIGKILL')
    await first.ended
    await vi.waitFor(async () => expect(await open()).toEqual([]))
    const [left] = await rows<{ untried: number }>(
      `SELECT count(*)::int AS untried FROM job WHERE state = 'QUEUED' AND attempt = 0`,
    )
    expect(left!.untried).toBeGreaterThan(0)
    apps.push(await startTestApp({ ...variables(), ...lease }))
    await vi.waitFor(async () => expect(await rows('SELECT id FROM job LIMIT 1')).toEqual([]), {
      timeout: WAITING,
      interval: 100,
    })
    const ended = await rows<{ state: string; attempt: number; count: number }>(
      'SELECT state, attempt, count(*)::int FROM job_history GROUP BY 1, 2 ORDER BY 2',
    )
    expect(ended[0]).toMatchObject({ state: 'COMPLETED', attempt: 1 })
    expect(ended[0]!.count).toBeGreaterThanOrEqual(left!.untried)
    // Beside what is claimed shortly there may be a claim that was written.
    expect(
      ended.reduce((sum, { state, count }) => sum + (state === 'COMPLETED' ? count : 0), 0),
    ).toBe(MANY)
  })

  it('are none where a job could end the node, and would have to be counted before', async () => {
    await startApp({ WORKER_ISOLATION: 'thread' })
    await enqueue(MANY)
    for (let ended = 0; ended < MANY;) {
      expect(await open()).toEqual([])
      ended = (await rows('SELECT id FROM job_history')).length
    }
  })

  it('are made no more once another node is there, and both have their part', async () => {
    const lease = { LEASE_MS: '4000' }
    const one = await startApp(lease)
    let going = true
    let submitted = 0
    const streaming = (async () => {
      while (going) {
        if ((await rows('SELECT id FROM job LIMIT 10000')).length === 10_000) continue
        await one.app.scheduler.submit(
          Array.from({ length: 5000 }, (_, n) => ({ type: 'tick', payload: { n } })),
        )
        // Which tells all nodes.
        await enqueue(1)
        submitted += 5001
      }
    })()
    await someOpen()
    apps.push(await startTestApp({ ...variables(), ...lease }))
    const nodes = () => new Set(one.app.scheduler.workers().map(({ nodeId }) => nodeId)).size
    await vi.waitFor(() => expect(nodes()).toBe(2), WAITING)
    await vi.waitFor(
      async () =>
        expect(await rows('SELECT node_id FROM job_history GROUP BY node_id')).toHaveLength(2),
      { timeout: WAITING, interval: 500 },
    )
    for (let look = 0; look < 50; look += 1) expect(await open()).toEqual([])
    going = false
    await streaming
    await allCompleted(submitted)
  })
})
