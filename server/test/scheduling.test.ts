import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { JobBody } from '../src/api/rest/bodies.ts'
import { startTestApp, type RestJob, type TestApp } from './app.ts'

const jobTypes = `
import { existsSync } from 'node:fs'
import { defineJob } from 'heddle'
import { z } from 'zod'
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export default [
  defineJob({ type: 'nap', payload: z.object({ ms: z.number() }), run: ({ ms }) => sleep(ms) }),
  defineJob({
    type: 'gate',
    payload: z.object({ file: z.string() }),
    async run({ file }) { while (!existsSync(file)) await sleep(5) },
  }),
  defineJob({
    type: 'wide',
    payload: z.object({ ms: z.number() }),
    parallel: { split: ({ ms }, width) => Array(width).fill(ms), run: sleep, merge: (parts) => parts.length },
  }),
]`

interface Schedule {
  position: number | null
  reason: string
  reasons: string[]
  freeThreads: number
  reservation: { jobId: string; workerName: string } | null
  estimatedStart: { p50: string; p90: string } | null
}

describe('the schedule of the live product', () => {
  let folder: string
  let app: TestApp
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-scheduling-'))
    writeFileSync(path.join(folder, 'types.mjs'), jobTypes)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  afterEach(() => app.close())

  const start = async (variables: Record<string, string>): Promise<void> => {
    app = await startTestApp({ JOBS_DIR: folder, ...variables })
  }
  const submit = async (job: Record<string, unknown>): Promise<string> => {
    const { status, body } = await app.post('/jobs', job)
    expect(status).toBe(201)
    return (body as RestJob).id
  }
  const gate = (name: string) => {
    const file = path.join(folder, name)
    return { payload: { file }, open: () => writeFileSync(file, '') }
  }
  const schedule = async (id: string): Promise<Schedule | null> => {
    const fields =
      'position reason reasons freeThreads reservation { jobId workerName } estimatedStart { p50 p90 }'
    const { job } = await app.graphql<{ job: { schedule: Schedule | null } }>(
      `query ($id: ID!) { job(id: $id) { schedule { ${fields} } } }`,
      { id },
    )
    return job.schedule
  }
  /** Keeps `ahead` naps in the queue until it is stopped. Resolves with how many there were. */
  const stream = (ahead: number, job: Record<string, unknown>) => {
    let going = true
    const ended = (async () => {
      let submitted = 0
      while (going) {
        const { queued, running } = await counts()
        const missing = ahead - queued - running
        if (missing <= 0) {
          await new Promise((resolve) => setTimeout(resolve, 2))
          continue
        }
        const jobs = Array.from({ length: missing }, () => ({ type: 'nap', ...job }))
        expect((await app.post('/jobs/bulk', { jobs })).status).toBe(201)
        submitted += missing
      }
      return submitted
    })()
    return {
      stop() {
        going = false
        return ended
      },
    }
  }
  const counts = async (): Promise<{ queued: number; running: number }> => {
    const { jobs } = await app.graphql<{ jobs: { nodes: { state: string }[] } }>(
      '{ jobs(first: 100) { nodes { state } } }',
    )
    const of = (state: string) => jobs.nodes.filter((job) => job.state === state).length
    return { queued: of('QUEUED'), running: of('RUNNING') }
  }

  it('says why a job waits and what it was promised, the same by GraphQL and REST, and logs the decisions', async () => {
    await start({ WORKER_1_THREADS: '2' })
    const { payload, open } = gate('why')
    const first = await submit({ type: 'gate', payload })
    await vi.waitFor(async () => expect((await counts()).running).toBe(1))
    const wide = await submit({ type: 'wide', thread_demand: 2, payload: { ms: 1 } })
    const behind = await submit({ type: 'nap', payload: { ms: 1 } })

    await vi.waitFor(async () =>
      expect(await schedule(wide)).toEqual({
        position: 1,
        reason: 'RESERVED',
        reasons: [
          'It is the next in order: worker-1 keeps 2 threads for it as they become free',
          'No job is ahead of it',
          'worker-1 has 1 of 2 threads free',
        ],
        freeThreads: 1,
        reservation: { jobId: wide, workerName: 'worker-1' },
        // Nobody knows how long the gate stays closed.
        estimatedStart: null,
      }),
    )
    expect(await schedule(behind)).toMatchObject({ position: 2, reason: 'WOULD_DELAY_HEAD' })
    const { body } = await app.get(`/jobs/${behind}?include=schedule`)
    expect(JobBody.parse(body).schedule).toMatchObject({
      position: 2,
      reason: 'WOULD_DELAY_HEAD',
      ahead: [wide],
      reservation: { job_id: wide },
    })
    expect((await app.get(`/jobs/${behind}`)).body).not.toHaveProperty('schedule')

    open()
    await Promise.all([first, wide, behind].map((id) => app.ended(id)))
    expect(await schedule(wide)).toBeNull()
    const { decisions } = await app.graphql<{ decisions: { kind: string; reason: string }[] }>(
      `query ($id: ID!) { decisions(jobId: $id) { kind reason } }`,
      { id: wide },
    )
    expect(decisions).toEqual([
      { kind: 'START', reason: 'IN_ORDER' },
      { kind: 'RESERVE', reason: null },
    ])
  })

  it('expects a start where run times are known, and keeps account of how right that was', async () => {
    await start({ WORKER_1_THREADS: '1' })
    await app.ended(await submit({ type: 'nap', payload: { ms: 300 } }))
    const before = Date.now()
    await submit({ type: 'nap', payload: { ms: 300 } })
    const second = await submit({ type: 'nap', payload: { ms: 300 } })
    await vi.waitFor(async () => {
      const { estimatedStart } = (await schedule(second)) ?? {}
      expect(Date.parse(estimatedStart?.p50 ?? '')).toBeGreaterThan(before)
    })
    await app.ended(second)
    const { calibration } = await app.graphql<{ calibration: { count: number } }>(
      '{ calibration { count byP50 byP90 medianErrorMs } }',
    )
    expect(calibration.count).toBe(1)
  })

  it('plans by the time a submitter expects where nothing is learnt', async () => {
    await start({ WORKER_1_THREADS: '1' })
    const before = Date.now()
    const first = await submit({ type: 'nap', expected_ms: 60_000, payload: { ms: 500 } })
    const second = await submit({ type: 'nap', payload: { ms: 1 } })
    await vi.waitFor(async () => {
      const { estimatedStart } = (await schedule(second)) ?? {}
      expect(Date.parse(estimatedStart?.p50 ?? '')).toBeGreaterThanOrEqual(before + 60_000)
    })
    expect(await app.ended(first)).toMatchObject({ expected_ms: 60_000 })
    await app.ended(second)
  })

  it('runs a job on any number of threads in its range, and on what it prefers where it can', async () => {
    await start({ WORKER_1_THREADS: '4' })
    const moldable = { type: 'wide', payload: { ms: 1 } }
    const thread_demand = { min: 2, preferred: 3, max: 4 }
    expect(await app.ended(await submit({ ...moldable, thread_demand }))).toMatchObject({
      thread_demand: 3,
      threads: { min: 2, preferred: 3, max: 4 },
      width: 3,
      width_reason: 'AS_DEMANDED',
    })
    // No worker has sixteen, but four will do.
    const { submitJob } = await app.graphql<{ submitJob: { id: string; threads: object } }>(
      `mutation { submitJob(input: { type: "wide", payload: { ms: 1 }, threads: { preferred: 16 } }) {
        id threads { min preferred max }
      } }`,
    )
    expect(submitJob.threads).toEqual({ min: 1, preferred: 16, max: 16 })
    expect(await app.ended(submitJob.id)).toMatchObject({
      width: 4,
      width_reason: 'WITHIN_RANGE',
      result: 4,
    })
  })

  it('simulates the queue as it is and with changes, and changes nothing', async () => {
    await start({ WORKER_1_THREADS: '1' })
    await app.ended(await submit({ type: 'nap', payload: { ms: 200 } }))
    const { payload, open } = gate('simulate')
    const first = await submit({ type: 'gate', payload })
    const naps = []
    for (let i = 0; i < 4; i += 1) naps.push(await submit({ type: 'nap', payload: { ms: 200 } }))
    await vi.waitFor(async () => expect(await counts()).toEqual({ queued: 4, running: 1 }))

    const fields = 'jobs guessed complete truncated waits { meanMs maxMs } byType { type jobs }'
    type Simulation = { jobs: number; waits: { meanMs: number; maxMs: number } }
    const { asIs, larger } = await app.graphql<{ asIs: Simulation; larger: Simulation }>(`{
      asIs: simulate(input: { unknownMs: 50 }) { ${fields} }
      larger: simulate(input: { workers: [{ name: "w", threads: 4 }] }) { ${fields} }
    }`)
    expect(asIs).toMatchObject({
      jobs: 4,
      guessed: 0,
      complete: true,
      truncated: false,
      byType: [{ type: 'nap', jobs: 4 }],
    })
    // Four naps of 200 ms, one after the other.
    expect(asIs.waits.maxMs).toBeGreaterThanOrEqual(600)
    expect(larger.waits.maxMs).toBe(0)
    expect(await counts()).toEqual({ queued: 4, running: 1 })
    open()
    await Promise.all([first, ...naps].map((id) => app.ended(id)))
  })

  it('says of a node without workers what it knows, and guesses nothing', async () => {
    await start({ ROLES: 'api' })
    const id = await submit({ type: 'nap', payload: { ms: 1 } })
    expect(await schedule(id)).toMatchObject({
      position: null,
      reason: 'NO_WORKER',
      reservation: null,
      estimatedStart: null,
    })
  })

  it('starts a job as wide as its worker under a stream of small jobs that never ends', async () => {
    await start({ WORKER_1_THREADS: '8', FAIR_SHARE: 'on', PRIORITY_AGING: '1' })
    const small = stream(24, { payload: { ms: 20 } })
    await vi.waitFor(async () => expect((await counts()).queued).toBeGreaterThan(8))
    const wide = await submit({ type: 'wide', thread_demand: 8, payload: { ms: 1 } })
    expect(await app.ended(wide)).toMatchObject({ state: 'COMPLETED', result: 8, width: 8 })
    await small.stop()
    const { decisions } = await app.graphql<{ decisions: { kind: string }[] }>(
      `query ($id: ID!) { decisions(jobId: $id) { kind } }`,
      { id: wide },
    )
    expect(decisions.map(({ kind }) => kind)).toEqual(['START', 'RESERVE'])
  })

  it('starts an old job under a stream of more important ones that never ends, when waiting counts', async () => {
    await start({ WORKER_1_THREADS: '1', PRIORITY_AGING: '1' })
    const urgent = stream(8, { priority: 1, payload: { ms: 10 } })
    await vi.waitFor(async () => expect((await counts()).queued).toBeGreaterThan(4))
    const old = await submit({ type: 'nap', priority: 0, payload: { ms: 1 } })
    expect(await app.ended(old)).toMatchObject({ state: 'COMPLETED' })
    await urgent.stop()
  })

  it('loses no job of a mix in which short ones, long ones and gangs of one type come by turns', async () => {
    // What comes next on threads is given to them early, called back and handed back all the time here.
    await start({ WORKER_1_THREADS: '8', FAIR_SHARE: 'on', PRIORITY_AGING: '1' })
    const waves = 12
    const perWave = 60
    for (let wave = 0; wave < waves; wave += 1) {
      const jobs = Array.from({ length: perWave }, (_, index) => {
        if (index % 12 === 0) {
          return { type: 'wide', payload: { ms: 20 }, thread_demand: 4, fairness_key: 'wide' }
        }
        const job = { type: 'wide', priority: wave % 4 }
        if (index % 10 === 1) return { ...job, payload: { ms: 150 }, fairness_key: 'few long' }
        return { ...job, payload: { ms: 3 + ((wave + index) % 10) }, fairness_key: 'many short' }
      })
      expect((await app.post('/jobs/bulk', { jobs })).status).toBe(201)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const { scheduler } = app.app
    await vi.waitFor(
      () => {
        expect(scheduler.stats()).toMatchObject({
          running: 0,
          ended: { COMPLETED: waves * perWave },
        })
      },
      { timeout: 30_000 },
    )
  })

  it('lets tenants take turns by their weights, however many jobs one of them has', async () => {
    await start({ WORKER_1_THREADS: '1', FAIR_SHARE: 'on' })
    const set = await app.graphql<{ setFairShare: { weight: number } }>(
      'mutation { setFairShare(key: "few", weight: 2) { weight } }',
    )
    expect(set.setFairShare.weight).toBe(2)
    const hold = gate('fair')
    const holder = await submit({ type: 'gate', fairness_key: 'holder', payload: hold.payload })
    const nap = { type: 'nap', expected_ms: 20, payload: { ms: 20 } }
    const bulk = { jobs: Array.from({ length: 30 }, () => ({ ...nap, fairness_key: 'many' })) }
    expect((await app.post('/jobs/bulk', bulk)).status).toBe(201)
    const few: string[] = []
    for (let i = 0; i < 6; i += 1) few.push(await submit({ ...nap, fairness_key: 'few' }))
    hold.open()
    const last = await app.ended(few[5] ?? '')
    expect(last).toMatchObject({ state: 'COMPLETED', fairness_key: 'few' })
    const { jobs } = (await app.get('/db/jobs?limit=100&type=nap')).body as { jobs: RestJob[] }
    const before = jobs.filter((job) => {
      return job.fairness_key === 'many' && String(job.started_at) < String(last.started_at)
    })
    // Two of theirs for one of the others, where the queue would have put all thirty first.
    expect(before.length).toBeGreaterThanOrEqual(2)
    expect(before.length).toBeLessThanOrEqual(4)
    await app.ended(holder)
    const { fair_shares: shares } = (await app.get('/fair-shares')).body as {
      fair_shares: { key: string; used_thread_ms: number }[]
    }
    const used = Object.fromEntries(shares.map((share) => [share.key, share.used_thread_ms]))
    expect(used.few).toBeGreaterThanOrEqual(6 * 15)
  })

  it('keeps a job behind every more important one, however long it waits, when priority is strict', async () => {
    await start({ WORKER_1_THREADS: '1' })
    const urgent = stream(8, { priority: 1, payload: { ms: 10 } })
    await vi.waitFor(async () => expect((await counts()).queued).toBeGreaterThan(4))
    const old = await submit({ type: 'nap', priority: 0, payload: { ms: 1 } })
    // Far more than would pass in the second that one step is worth in the test before.
    await vi.waitFor(
      async () => expect(app.app.scheduler.stats().ended.COMPLETED).toBeGreaterThan(200),
      { timeout: 60_000 },
    )
    expect((await app.get(`/jobs/${old}`)).body).toMatchObject({ state: 'QUEUED' })
    await urgent.stop()
    expect(await app.ended(old)).toMatchObject({ state: 'COMPLETED' })
  })
})
