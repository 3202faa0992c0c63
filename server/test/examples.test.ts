import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type RestJob, type TestApp } from './app.ts'

describe('the examples', () => {
  let app: TestApp
  beforeAll(async () => {
    const JOBS_DIR = path.resolve(import.meta.dirname, '../../examples/jobs')
    app = await startTestApp({ JOBS_DIR, WORKER_1_THREADS: '4' })
  })
  afterAll(() => app.close())

  const run = async (job: Record<string, unknown>): Promise<RestJob> => {
    const { status, body } = await app.post('/jobs', job)
    expect(status).toBe(201)
    return app.ended((body as RestJob).id)
  }

  it('are all job types', () => {
    expect(app.app.brokenJobTypes).toEqual([])
  })

  it('estimate π alike on any number of threads', async () => {
    const estimates = []
    for (const thread_demand of [1, 3, 4]) {
      const payload = { millions: 5 }
      estimates.push(await run({ type: 'estimate_pi', thread_demand, payload }))
    }
    expect(estimates.map(({ width }) => width)).toEqual([1, 3, 4])
    const results = estimates.map(({ result }) => result as { pi: number; darts: number })
    expect(results[0]?.darts).toBe(5_000_000)
    // Four standard deviations of five million darts.
    expect(Math.abs((results[0]?.pi ?? 0) - Math.PI)).toBeLessThan(0.003)
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  it('try a report again until its source answers', async () => {
    const backoff = { base_ms: 10, max_ms: 10 }
    const payload = { title: 'Monday', failures: 2 }
    const job = await run({ type: 'flaky_report', backoff, payload })
    expect(job).toMatchObject({ state: 'COMPLETED', attempt: 3, result: { attempt: 3 } })
    expect(job.attempts).toMatchObject([
      { number: 1, error: { message: 'The source of "Monday" does not answer yet' } },
      { number: 2 },
      { number: 3, error: null },
    ])
  })
})
