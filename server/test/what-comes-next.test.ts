import { describe, expect, it } from 'vitest'
import type { RestJob } from './app.ts'
import { useTimedJobs } from './timed-jobs.ts'

const MS = 400

describe('what comes next on a thread', () => {
  const timed = useTimedJobs()
  const nap = (priority: number) => timed.submit({ type: 'nap', priority, payload: { ms: MS } })
  const running = async (id: string): Promise<boolean> => {
    const { body } = await timed.app.get(`/jobs/${id}`)
    return (body as RestJob).state === 'RUNNING'
  }
  /** Resolves as soon as the job is claimed. */
  const claimed = async (id: string): Promise<void> => {
    while (!(await running(id))) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const startOf = ({ attempts }: RestJob): number =>
    Date.parse((attempts as { started_at: string }[])[0]!.started_at)

  it('is claimed shortly before the thread is free, and given back for a better job, at no attempt', async () => {
    await timed.start({ WORKER_1_THREADS: '1' })
    // So that it is known how long a nap takes.
    await timed.app.ended(await nap(0))
    // The thread may be through with the first before the better one comes: then once more.
    for (let tries = 1; ; tries += 1) {
      const [first, second, third] = [await nap(0), await nap(0), await nap(0)]
      const { payload, open } = timed.gate(`crowd ${tries}`)
      open()
      await timed.submitAll(Array(4).fill({ type: 'gate', priority: -5, payload }))
      await claimed(second)
      const early = await running(first)
      const better = await nap(5)
      const jobs = await Promise.all(
        [first, second, third, better].map((id) => timed.app.ended(id)),
      )
      expect(jobs.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1])
      const [, ofSecond, ofThird, ofBetter] = jobs.map(startOf)
      expect(ofThird).toBeGreaterThan(ofSecond!)
      expect(ofThird).toBeGreaterThan(ofBetter!)
      if (early && ofBetter! < ofSecond!) break
      expect(tries).toBeLessThan(5)
    }
  })

  it('is not claimed early where few wait for each thread: the last ones can still be passed', async () => {
    await timed.start({ WORKER_1_THREADS: '2', WORKER_2_THREADS: '0' })
    const { payload, open } = timed.gate('few')
    // Expected to be over soon, but not so small that they share a message.
    const job = { type: 'gate', expected_ms: 30, payload }
    const [first, second, ...others] = await timed.submitAll(Array(9).fill(job))
    await Promise.all([first!, second!].map(claimed))
    for (let look = 0; look < 30; look += 1) {
      expect((await Promise.all(others.map(running))).some(Boolean)).toBe(false)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const [last] = await timed.submitAll([job])
    while (!(await Promise.all(others.map(running))).some(Boolean))
      await new Promise((resolve) => setTimeout(resolve, 2))
    expect(await running(last!)).toBe(false)
    open()
    await Promise.all([...others, last!].map((id) => timed.app.ended(id)))
  })

  it('is for a gang others of as many threads, which have them to themselves one after the other', async () => {
    await timed.start({ WORKER_1_THREADS: '2', WORKER_2_THREADS: '0' })
    const { payload, open } = timed.gate('gangs')
    await timed.submitAll(Array(2).fill({ type: 'gate', payload }))
    const short = { expected_ms: 10, payload: { ms: 10 } }
    const ids = await timed.submitAll(
      Array.from({ length: 75 }, (_, n) =>
        n % 3 === 0 ? { type: 'wide', thread_demand: 2, ...short } : { type: 'nap', ...short },
      ),
    )
    open()
    const jobs = await Promise.all(ids.map((id) => timed.app.ended(id)))
    expect(new Set(jobs.map(({ state, attempt }) => `${state} ${attempt}`))).toEqual(
      new Set(['COMPLETED 1']),
    )
    const runs = jobs
      .map((job) => ({
        width: job.width,
        from: startOf(job),
        to: Date.parse(job.finished_at as string),
      }))
      .sort((a, b) => a.from - b.from)
    for (const [at, { width, to }] of runs.entries()) {
      const next = runs[at + 1]
      // Told in whole ms.
      if (next && Math.max(width!, next.width!) > 1)
        expect(next.from).toBeGreaterThanOrEqual(to - 1)
    }
    const { decisions } = await timed.app.graphql<{
      decisions: { jobId: string; reason: string }[]
    }>('{ decisions(first: 200) { jobId reason } }')
    const followers = decisions.filter(({ reason }) => reason === 'SAME_THREADS')
    expect(followers.length).toBeGreaterThan(8)
    expect(followers.every(({ jobId }) => ids.indexOf(jobId) % 3 === 0)).toBe(true)
  })
})
