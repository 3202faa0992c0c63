import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp, type RestJob, type TestApp } from './app.ts'
import { createServerDatabase } from './databases.ts'
import { dropPrefix, newPrefix } from './redis.ts'
import { startServerProcess, type ServerProcess } from './server-process.ts'
import { havePostgres, haveRedis, redisUrl } from './services.ts'

const jobTypes = `
import { appendFileSync, existsSync } from 'node:fs'
import { defineJob } from 'heddle'
import { z } from 'zod'
const note = (file, line) => appendFileSync(file, line + '\\n')
export default [
  defineJob({
    type: 'note',
    payload: z.object({ file: z.string(), ms: z.number() }),
    async run({ file, ms }, context) {
      note(file, context.jobId + ' ' + context.attempt)
      await new Promise((resolve) => setTimeout(resolve, ms))
      return context.attempt
    },
  }),
  defineJob({
    type: 'slow_once',
    payload: z.object({ file: z.string() }),
    async run({ file }, { attempt }) {
      if (existsSync(file)) return attempt
      note(file, 'started')
      await new Promise((resolve) => setTimeout(resolve, 600_000))
    },
  }),
  defineJob({
    type: 'wide',
    payload: z.object({}),
    parallel: { split: (_, width) => Array.from({ length: width }, (_, n) => n), run: (n) => n, merge: (parts) => parts.length },
  }),
  defineJob({ type: 'spin', payload: z.object({}), run() { for (;;) {} } }),
]`

const ready = (await havePostgres()) && (await haveRedis())

// Processes start and leases lapse in these tests, which takes long on a busy machine.
describe.skipIf(!ready)(
  'several nodes on one PostgreSQL and one Redis',
  { timeout: 180_000 },
  () => {
    let folder: string
    let shared: Record<string, string>
    let prefix: string
    let database: { url: string; drop(): Promise<void> }
    const apps: TestApp[] = []
    const processes: ServerProcess[] = []

    beforeAll(() => {
      folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-nodes-'))
      writeFileSync(path.join(folder, 'types.mjs'), jobTypes)
    })
    afterAll(() => rmSync(folder, { recursive: true, force: true }))
    beforeEach(async () => {
      database = await createServerDatabase()
      prefix = newPrefix()
      shared = {
        DATABASE_URL: database.url,
        REDIS_URL: redisUrl,
        KEY_PREFIX: prefix,
        JOBS_DIR: folder,
        DATA_DIR: path.join(folder, 'data'),
        LEASE_MS: '2000',
      }
    })
    afterEach(async () => {
      for (const process of processes) process.signal('SIGKILL')
      await Promise.all(processes.splice(0).map(({ ended }) => ended))
      await Promise.all(apps.splice(0).map((app) => app.close()))
      await database.drop()
      await dropPrefix(prefix)
    })

    const node = async (variables: Record<string, string> = {}): Promise<TestApp> => {
      const app = await startTestApp({ ...shared, ...variables })
      apps.push(app)
      return app
    }
    const nodeProcess = async (variables: Record<string, string> = {}): Promise<ServerProcess> => {
      const process = await startServerProcess({
        ...shared,
        LOG_LEVEL: 'info',
        WORKER_1_THREADS: '2',
        WORKER_2_THREADS: '0',
        ...variables,
      })
      processes.push(process)
      return process
    }
    const submit = async ({ post }: TestApp, jobs: unknown[]): Promise<string[]> => {
      const { status, body } = await post('/jobs/bulk', { jobs })
      expect(status, JSON.stringify(body)).toBe(201)
      return (body as { jobs: RestJob[] }).jobs.map(({ id }) => id)
    }

    /** Which of these jobs run on that process, as another node tells it. */
    const runningOn = async (
      { pid }: ServerProcess,
      witness: TestApp,
      ids: string[],
    ): Promise<RestJob[]> => {
      const jobs = await Promise.all(
        ids.map(async (id) => (await witness.get(`/jobs/${id}`)).body as RestJob),
      )
      const { workers } = (await witness.get('/workers')).body as {
        workers: { node_id: string; node_name: string }[]
      }
      const own = workers.filter(({ node_name }) => node_name.endsWith(`:${pid}`))
      const nodeIds = new Set(own.map(({ node_id }) => node_id))
      return jobs.filter((job) => job.state === 'RUNNING' && nodeIds.has(String(job.node_id)))
    }

    it('share the queue: every job runs once, and each node runs some', async () => {
      const nodes = [await node(), await node(), await node()]
      const file = path.join(folder, randomUUID())
      const ids = await submit(
        nodes[0]!,
        Array.from({ length: 90 }, () => ({ type: 'note', payload: { file, ms: 20 } })),
      )
      const jobs = await Promise.all(ids.map((id) => nodes[1]!.ended(id)))
      expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['COMPLETED']))
      expect(jobs.map(({ attempt }) => attempt)).toEqual(jobs.map(() => 1))
      expect(new Set(jobs.map(({ node_id }) => node_id)).size).toBe(3)
    })

    it('let a job wait for the one node that is large enough, and answer for it from any node', async () => {
      const small = await node()
      const large = await node({ WORKER_1_THREADS: '6' })
      await vi.waitFor(async () =>
        expect((await small.get('/workers')).body).toMatchObject({ workers: [{}, {}] }),
      )
      const [id] = await submit(small, [{ type: 'wide', thread_demand: 6, payload: {} }])
      const job = await small.ended(id!)
      expect(job).toMatchObject({ state: 'COMPLETED', width: 6, result: 6 })
      const { body } = await large.get('/workers')
      const { workers } = body as { workers: { node_id: string; threads: number }[] }
      expect(workers.map(({ threads }) => threads).sort()).toEqual([2, 6])
      expect(workers.find(({ node_id }) => node_id === job.node_id)?.threads).toBe(6)
    })

    it('start a job that only one of them can hold under a stream that keeps them all busy', async () => {
      const [small, large] = [await node(), await node({ WORKER_1_THREADS: '4' })]
      await vi.waitFor(async () =>
        expect((await small.get('/workers')).body).toMatchObject({ workers: [{}, {}] }),
      )
      const file = path.join(folder, randomUUID())
      const short = { type: 'note', payload: { file, ms: 20 } }
      const stats = () => [small, large].map(({ app }) => app.scheduler.stats())
      const completed = () => stats().reduce((sum, { ended }) => sum + ended.COMPLETED, 0)
      const submitted = () => stats().reduce((sum, each) => sum + each.submitted, 0)
      let going = true
      const stream = (async () => {
        while (going) {
          if (submitted() - completed() < 60) await submit(small, Array(20).fill(short))
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      })()
      await vi.waitFor(() => expect(completed()).toBeGreaterThan(100), { timeout: 60_000 })

      const [id] = await submit(small, [{ type: 'wide', thread_demand: 4, payload: {} }])
      expect(await small.ended(id!)).toMatchObject({ state: 'COMPLETED', width: 4 })
      // All the while others waited that would have taken each thread as it became free.
      expect(submitted() - completed()).toBeGreaterThan(4)
      going = false
      await stream
    })

    it('fall back to one thread when no live node is large enough', async () => {
      const [first] = [await node(), await node()]
      const [id] = await submit(first, [{ type: 'wide', thread_demand: 6, payload: {} }])
      expect(await first.ended(id!)).toMatchObject({
        width: 1,
        width_reason: 'NO_WORKER_LARGE_ENOUGH',
        result: 1,
      })
    })

    it('split into front ends and compute nodes', async () => {
      const front = await node({ ROLES: 'api' })
      await node({ ROLES: 'api,worker' })
      const [id] = await submit(front, [{ type: 'reverse_string', payload: { text: 'abc' } }])
      expect(await front.ended(id!)).toMatchObject({ state: 'COMPLETED', result: 'cba' })
    })

    it('run the jobs of a killed node again, with the attempt counted', async () => {
      const survivor = await node({ WORKER_1_THREADS: '1' })
      const victim = await nodeProcess()
      const file = path.join(folder, randomUUID())
      const ids = await submit(
        survivor,
        Array.from({ length: 6 }, () => ({
          type: 'note',
          max_attempts: 3,
          payload: { file, ms: 1500 },
        })),
      )
      let lost: RestJob[] = []
      while (lost.length === 0) lost = await runningOn(victim, survivor, ids)
      victim.signal('SIGKILL')
      const jobs = await Promise.all(ids.map((id) => survivor.ended(id)))
      expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['COMPLETED']))
      for (const { id } of lost) {
        const job = jobs.find((each) => each.id === id)
        expect(job).toMatchObject({ attempt: 2, result: 2 })
        expect(job?.attempts).toMatchObject([
          { number: 1, error: { code: 'NODE_LOST' } },
          { number: 2 },
        ])
      }
    })

    it('run the jobs of a frozen node again, and take it back as a new one when it thaws', async () => {
      const survivor = await node({ WORKER_1_THREADS: '1' })
      const victim = await nodeProcess()
      const file = path.join(folder, randomUUID())
      const notes = (count: number) =>
        Array.from({ length: count }, () => ({ type: 'note', payload: { file, ms: 700 } }))
      const ids = await submit(survivor, notes(6))
      let frozen: RestJob[] = []
      while (frozen.length === 0) frozen = await runningOn(victim, survivor, ids)
      victim.signal('SIGSTOP')
      const jobs = await Promise.all(frozen.map(({ id }) => survivor.ended(id)))
      expect(jobs.map(({ state, attempt }) => [state, attempt])).toEqual(
        frozen.map(() => ['COMPLETED', 2]),
      )
      victim.signal('SIGCONT')

      // It answers, holds a new lease, and runs jobs again.
      const later = await submit(survivor, notes(12))
      let again: RestJob[] = []
      while (again.length === 0) again = await runningOn(victim, survivor, later)
      const [first] = frozen
      expect(again[0]?.node_id).not.toBe(first?.node_id)
      expect((await fetch(`${victim.url}/readyz`)).status).toBe(200)
      const all = await Promise.all([...ids, ...later].map((id) => survivor.ended(id)))
      expect(new Set(all.map(({ state }) => state))).toEqual(new Set(['COMPLETED']))
    })

    it('are restarted one after another under load: nothing is lost, nothing runs twice', async () => {
      const front = await node({ ROLES: 'api' })
      const cluster = await Promise.all([nodeProcess(), nodeProcess()])
      const file = path.join(folder, randomUUID())
      const ids: string[] = []
      let restarting = true
      const load = (async () => {
        while (restarting) {
          const jobs = Array.from({ length: 10 }, () => ({
            type: 'note',
            payload: { file, ms: 20 },
          }))
          ids.push(...(await submit(front, jobs)))
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      })()
      for (const old of cluster) {
        await nodeProcess()
        old.signal('SIGTERM')
        expect(await old.ended).toBe(0)
      }
      restarting = false
      await load
      const jobs = await Promise.all(ids.map((id) => front.ended(id)))
      expect(jobs.filter(({ state, attempt }) => state !== 'COMPLETED' || attempt !== 1)).toEqual(
        [],
      )
      const starts = readFileSync(file, 'utf8').trim().split('\n')
      expect(starts.toSorted()).toEqual(ids.map((id) => `${id} 1`).toSorted())
    })

    it('hand back what runs at the second stop signal, and count no attempt for it', async () => {
      const leaving = await nodeProcess()
      const front = await node({ ROLES: 'api' })
      const file = path.join(folder, randomUUID())
      const [id] = await submit(front, [{ type: 'slow_once', payload: { file } }])
      await vi.waitFor(() => expect(existsSync(file)).toBe(true), { timeout: 20_000 })
      leaving.signal('SIGTERM')
      await vi.waitFor(() => expect(leaving.output()).toContain('stopping'), { timeout: 20_000 })
      leaving.signal('SIGTERM')
      expect(await leaving.ended).toBe(0)
      expect((await front.get(`/jobs/${id}`)).body).toMatchObject({ state: 'QUEUED', attempt: 0 })
      await nodeProcess()
      expect(await front.ended(id!)).toMatchObject({ state: 'COMPLETED', attempt: 1, result: 1 })
    })

    it('stop a spinning job from another node than the one that runs it', async () => {
      const compute = await node()
      const [id] = await submit(compute, [{ type: 'spin', payload: {} }])
      for (;;) {
        const { body } = await compute.get(`/jobs/${id}`)
        if ((body as RestJob).state === 'RUNNING') break
      }
      const front = await node({ ROLES: 'api' })
      const response = await fetch(`${front.url}/jobs/${id}`, { method: 'DELETE' })
      expect(response.status).toBe(202)
      expect(await front.ended(id!)).toMatchObject({ state: 'CANCELLED' })
    })

    it('answer a repeated submission with the job of the first, also at the same moment', async () => {
      const nodes = [await node(), await node({ ROLES: 'api' })]
      const job = { type: 'add_numbers', payload: { a: 1, b: 2 }, idempotency_key: randomUUID() }
      const ids = await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const { body } = await nodes[n % 2]!.post('/jobs', job)
          return (body as RestJob).id
        }),
      )
      expect(new Set(ids).size).toBe(1)
    })
  },
)
