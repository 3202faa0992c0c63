import { describe, expect, it, vi } from 'vitest'
import { JobBody } from '../src/api/rest/bodies.ts'
import type { RestJob } from './app.ts'
import { useTimedJobs } from './timed-jobs.ts'

interface Schedule {
  position: number | null
  reason: string
  reasons: string[]
  freeThreads: number
  reservation: { jobId: string; workerName: string } | null
  estimatedStart: { p50: string; p90: string } | null
}

describe('the schedule of the live product', () => {
  const timed = useTimedJobs()
  const { start, submit, gate, counts } = timed
  const schedule = async (id: string): Promise<Schedule | null> => {
    const fields =
      'position reason reasons freeThreads reservation { jobId workerName } estimatedStart { p50 p90 }'
    const { job } = await timed.app.graphql<{ job: { schedule: Schedule | null } }>(
      `query ($id: ID!) { job(id: $id) { schedule { ${fields} } } }`,
      { id },
    )
    return job.schedule
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
    const { body } = await timed.app.get(`/jobs/${behind}?include=schedule`)
    expect(JobBody.parse(body).schedule).toMatchObject({
      position: 2,
      reason: 'WOULD_DELAY_HEAD',
      ahead: [wide],
      reservation: { job_id: wide },
    })
    expect((await timed.app.get(`/jobs/${behind}`)).body).not.toHaveProperty('schedule')

    open()
    await Promise.all([first, wide, behind].map((id) => timed.app.ended(id)))
    expect(await schedule(wide)).toBeNull()
    const { decisions } = await timed.app.graphql<{
      decisions: { kind: string; reason: string }[]
    }>(`query ($id: ID!) { decisions(jobId: $id) { kind reason } }`, { id: wide })
    expect(decisions).toEqual([
      { kind: 'START', reason: 'IN_ORDER' },
      { kind: 'RESERVE', reason: null },
    ])
  })

  it('expects a start where run times are known, and keeps account of how right that was', async () => {
    await start({ WORKER_1_THREADS: '1' })
    await timed.app.ended(await submit({ type: 'nap', payload: { ms: 300 } }))
    const before = Date.now()
    await submit({ type: 'nap', payload: { ms: 300 } })
    const second = await submit({ type: 'nap', payload: { ms: 300 } })
    await vi.waitFor(async () => {
      const { estimatedStart } = (await schedule(second)) ?? {}
      expect(Date.parse(estimatedStart?.p50 ?? '')).toBeGreaterThan(before)
    })
    await timed.app.ended(second)
    const { calibration } = await timed.app.graphql<{ calibration: { count: number } }>(
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
    expect(await timed.app.ended(first)).toMatchObject({ expected_ms: 60_000 })
    await timed.app.ended(second)
  })

  it('runs a job on any number of threads in its range, and on what it prefers where it can', async () => {
    await start({ WORKER_1_THREADS: '4' })
    const moldable = { type: 'wide', payload: { ms: 1 } }
    const thread_demand = { min: 2, preferred: 3, max: 4 }
    expect(await timed.app.ended(await submit({ ...moldable, thread_demand }))).toMatchObject({
      thread_demand: 3,
      threads: { min: 2, preferred: 3, max: 4 },
      width: 3,
      width_reason: 'AS_DEMANDED',
    })
    // No worker has sixteen, but four will do.
    const { submitJob } = await timed.app.graphql<{ submitJob: { id: string; threads: object } }>(
      `mutation { submitJob(input: { type: "wide", payload: { ms: 1 }, threads: { preferred: 16 } }) {
        id threads { min preferred max }
      } }`,
    )
    expect(submitJob.threads).toEqual({ min: 1, preferred: 16, max: 16 })
    expect(await timed.app.ended(submitJob.id)).toMatchObject({
      width: 4,
      width_reason: 'WITHIN_RANGE',
      result: 4,
    })
  })

  it('simulates the queue as it is and with changes, and changes nothing', async () => {
    await start({ WORKER_1_THREADS: '1' })
    await timed.app.ended(await submit({ type: 'nap', payload: { ms: 200 } }))
    const { payload, open } = gate('simulate')
    const first = await submit({ type: 'gate', payload })
    const naps = []
    for (let i = 0; i < 4; i += 1) naps.push(await submit({ type: 'nap', payload: { ms: 200 } }))
    await vi.waitFor(async () => expect(await counts()).toEqual({ queued: 4, running: 1 }))

    const fields = 'jobs guessed complete truncated waits { meanMs maxMs } byType { type jobs }'
    type Simulation = { jobs: number; waits: { meanMs: number; maxMs: number } }
    const { asIs, larger } = await timed.app.graphql<{ asIs: Simulation; larger: Simulation }>(`{
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
    await Promise.all([first, ...naps].map((id) => timed.app.ended(id)))
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

  it('lets tenants take turns by their weights, however many jobs one of them has', async () => {
    await start({ WORKER_1_THREADS: '1', FAIR_SHARE: 'on' })
    const set = await timed.app.graphql<{ setFairShare: { weight: number } }>(
      'mutation { setFairShare(key: "few", weight: 2) { weight } }',
    )
    expect(set.setFairShare.weight).toBe(2)
    const hold = gate('fair')
    const holder = await submit({ type: 'gate', fairness_key: 'holder', payload: hold.payload })
    const nap = { type: 'nap', expected_ms: 20, payload: { ms: 20 } }
    const bulk = { jobs: Array.from({ length: 30 }, () => ({ ...nap, fairness_key: 'many' })) }
    expect((await timed.app.post('/jobs/bulk', bulk)).status).toBe(201)
    const few: string[] = []
    for (let i = 0; i < 6; i += 1) few.push(await submit({ ...nap, fairness_key: 'few' }))
    hold.open()
    const last = await timed.app.ended(few[5] ?? '')
    expect(last).toMatchObject({ state: 'COMPLETED', fairness_key: 'few' })
    const { jobs } = (await timed.app.get('/db/jobs?limit=100&type=nap')).body as {
      jobs: RestJob[]
    }
    const before = jobs.filter((job) => {
      return job.fairness_key === 'many' && String(job.started_at) < String(last.started_at)
    })
    // Two of theirs for one of the others, where the queue would have put all thirty first.
    expect(before.length).toBeGreaterThanOrEqual(2)
    expect(before.length).toBeLessThanOrEqual(4)
    await timed.app.ended(holder)
    const { fair_shares: shares } = (await timed.app.get('/fair-shares')).body as {
      fair_shares: { key: string; used_thread_ms: number }[]
    }
    const used = Object.fromEntries(shares.map((share) => [share.key, share.used_thread_ms]))
    expect(used.few).toBeGreaterThanOrEqual(6 * 15)
  })
})
