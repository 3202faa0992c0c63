import { describe, expect, it, vi } from 'vitest'
import { useTimedJobs } from './timed-jobs.ts'

describe('the live product under jobs that keep coming', () => {
  const timed = useTimedJobs()
  const { start, submit, counts, stream } = timed

  it('starts a job as wide as its worker under a stream of small jobs that never ends', async () => {
    await start({ WORKER_1_THREADS: '8' })
    const small = stream(24, { payload: { ms: 20 } })
    await vi.waitFor(async () => expect((await counts()).queued).toBeGreaterThan(8))
    const wide = await submit({ type: 'wide', thread_demand: 8, payload: { ms: 1 } })
    expect(await timed.app.ended(wide)).toMatchObject({ state: 'COMPLETED', result: 8, width: 8 })
    await small.stop()
    const { decisions } = await timed.app.graphql<{ decisions: { kind: string }[] }>(
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
    expect(await timed.app.ended(old)).toMatchObject({ state: 'COMPLETED' })
    await urgent.stop()
  })

  it('keeps a job behind every more important one, however long it waits, when priority is strict', async () => {
    await start({ WORKER_1_THREADS: '1' })
    const urgent = stream(8, { priority: 1, payload: { ms: 10 } })
    await vi.waitFor(async () => expect((await counts()).queued).toBeGreaterThan(4))
    const old = await submit({ type: 'nap', priority: 0, payload: { ms: 1 } })
    // Far more than would pass in the second that one step is worth in the test before.
    await vi.waitFor(
      async () => expect(timed.app.app.scheduler.stats().ended.COMPLETED).toBeGreaterThan(200),
      { timeout: 60_000 },
    )
    expect((await timed.app.get(`/jobs/${old}`)).body).toMatchObject({ state: 'QUEUED' })
    await urgent.stop()
    expect(await timed.app.ended(old)).toMatchObject({ state: 'COMPLETED' })
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
      expect((await timed.app.post('/jobs/bulk', { jobs })).status).toBe(201)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const { scheduler } = timed.app.app
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
})
