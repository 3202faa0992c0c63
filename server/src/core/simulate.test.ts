import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plan } from './plan.ts'
import { rank } from './rank.ts'
import { PATIENCE } from './reservation.ts'
import { simulate, type Policy, type SimulatedJob, type SimulatedRun } from './simulate.ts'
import { queuedJob } from './testing.ts'

const policy: Policy = { predictions: 'perfect', reservations: true }
const simulated = (given: Partial<SimulatedJob>): SimulatedJob => ({
  ...queuedJob(given),
  runMs: given.runMs ?? 10,
})

const anyJobs = fc
  .array(
    fc.record({
      gang: fc.integer({ min: 1, max: 8 }),
      createdAt: fc.nat(60),
      runMs: fc.integer({ min: 1, max: 30 }),
      expectedMs: fc.option(fc.integer({ min: 1, max: 60 })),
      type: fc.constantFrom('a', 'b'),
      rank: fc.integer({ min: -2, max: 2 }),
    }),
    { maxLength: 40 },
  )
  .map((jobs) =>
    jobs
      .sort((a, b) => a.createdAt - b.createdAt)
      .map((job, i) => simulated({ ...job, id: String(i).padStart(3, '0') })),
  )
const anyWorkers = fc
  .array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 })
  .map((sizes) => sizes.map((threads, i) => ({ name: `w${i}`, threads })))
const anyPolicy: fc.Arbitrary<Policy> = fc.record({
  predictions: fc.constantFrom('none', 'hints', 'learnt', 'perfect'),
  rankStep: fc.constantFrom(1, 3),
  reservations: fc.boolean(),
})
const startOf = (runs: SimulatedRun[], id: string) => runs.find(({ job }) => job.id === id)?.startAt

describe('a simulation', () => {
  it('ends every job once, whole on one worker, within its threads, and the same way each time', () => {
    fc.assert(
      fc.property(anyJobs, anyWorkers, anyPolicy, (jobs, workers, any) => {
        const runs = simulate({ jobs, workers, policy: any })
        expect(runs.map(({ job }) => job.id).sort()).toEqual(jobs.map(({ id }) => id))
        for (const { job, startAt, endAt } of runs) {
          expect(startAt).toBeGreaterThanOrEqual(job.createdAt)
          expect(endAt - startAt).toBe(job.runMs)
        }
        for (const { name, threads } of workers) {
          const own = runs.filter(({ workerName }) => workerName === name)
          for (const { startAt } of own) {
            const used = own.filter((run) => run.startAt <= startAt && run.endAt > startAt)
            expect(used.reduce((sum, { width }) => sum + width, 0)).toBeLessThanOrEqual(threads)
          }
        }
        expect(simulate({ jobs, workers, policy: any })).toEqual(runs)
      }),
    )
  })

  it('agrees with a plain, slow EASY where run times are known and no two jobs are peers', () => {
    fc.assert(
      fc.property(anyJobs, fc.integer({ min: 1, max: 8 }), (anyOrder, threads) => {
        const jobs = anyOrder.map((job, i) => ({
          ...job,
          gang: Math.min(job.gang, threads),
          rank: i,
        }))
        const runs = simulate({ jobs, workers: [{ name: 'w', threads }], policy })
        const slow = easy(jobs, threads)
        expect(new Map(runs.map(({ job, startAt }) => [job.id, startAt]))).toEqual(slow)
      }),
    )
  })

  it('has no head wait longer than promised where predictions are right', () => {
    fc.assert(
      fc.property(anyJobs, anyWorkers, (jobs, workers) => {
        const equals = jobs.map((job) => ({ ...job, rank: 0 }))
        const promises = new Map<string, number>()
        const runs = simulate({
          jobs: equals,
          workers,
          policy,
          decide(view) {
            const planned = plan(view)
            const { jobId, startAt } = planned.reservation ?? {}
            if (jobId !== undefined && startAt != null) {
              promises.set(jobId, Math.min(startAt, promises.get(jobId) ?? Infinity))
            }
            return planned
          },
        })
        for (const [id, promised] of promises)
          expect(startOf(runs, id)).toBeLessThanOrEqual(promised)
      }),
    )
  })

  it('has no head wait longer than the bound, however wrong the predictions are', () => {
    const predictions = fc.constantFrom('none' as const, 'hints' as const, 'learnt' as const)
    fc.assert(
      fc.property(anyJobs, anyWorkers, predictions, (jobs, workers, kind) => {
        const equals = jobs.map((job) => ({ ...job, rank: 0 }))
        const bounds = new Map<string, number>()
        const runs = simulate({
          jobs: equals,
          workers,
          policy: { ...policy, predictions: kind },
          decide(view) {
            const planned = plan(view)
            if (planned.reservation) {
              const { jobId, since, promisedAt } = planned.reservation
              const lapse =
                promisedAt === null ? since : promisedAt + PATIENCE * (promisedAt - since)
              bounds.set(jobId, lapse + Math.max(...jobs.map(({ runMs }) => runMs)))
            }
            return planned
          },
        })
        for (const [id, bound] of bounds) expect(startOf(runs, id)).toBeLessThanOrEqual(bound)
      }),
    )
  })

  it('starts a wide job under an endless stream of small ones by its turn, which no promise would never', () => {
    const stream = Array.from({ length: 400 }, (_, i) =>
      simulated({ id: `small-${String(i).padStart(3, '0')}`, createdAt: i * 5, runMs: 35 }),
    )
    const wide = simulated({ id: 'small-020-wide', gang: 8, createdAt: 100, runMs: 50 })
    const started = (change: Partial<Policy>) =>
      startOf(
        simulate({
          jobs: [...stream, wide],
          workers: [{ name: 'w', threads: 8 }],
          policy: { ...policy, predictions: 'none', ...change },
        }),
        wide.id,
      )
    expect(started({})).toBe(135)
    expect(started({ reservations: false })).toBeGreaterThanOrEqual(399 * 5)
  })

  it('starts a job of low priority under a stream of higher ones when its waiting counts', () => {
    const started = (agingMs: number | null) => {
      const ranked = (priority: number, given: Partial<SimulatedJob>) =>
        simulated({ ...given, rank: rank(priority, given.createdAt ?? 0, agingMs) })
      const stream = Array.from({ length: 400 }, (_, i) =>
        ranked(5, {
          id: `high-${String(i).padStart(3, '0')}`,
          createdAt: i * 5,
          runMs: 11,
          gang: 4,
        }),
      )
      const low = ranked(0, { id: 'low', gang: 8, createdAt: 100, runMs: 50 })
      const workers = [{ name: 'w', threads: 8 }]
      return startOf(simulate({ jobs: [...stream, low], workers, policy }), 'low')
    }
    expect(started(null)).toBeGreaterThanOrEqual(399 * 5)
    // Those submitted in the first 5 × 20 ms of its waiting still go before it.
    expect(started(20)).toBeLessThanOrEqual(100 + 5 * 20 + 100)
  })

  it('goes on from what runs already, and ends when it is told to', () => {
    const job = simulated({ id: 'a', runMs: 100 })
    const runs = simulate({
      jobs: ['b', 'c', 'd'].map((id) => simulated({ id, createdAt: 5, gang: 2 })),
      workers: [{ name: 'w', threads: 2 }],
      policy,
      running: [{ job, workerName: 'w', width: 1, startAt: -50 }],
      from: 20,
      until: (run) => run.job.id === 'c',
    })
    expect(runs.map(({ job: { id }, startAt }) => [id, startAt])).toEqual([
      ['b', 50],
      ['c', 60],
    ])
  })

  it('never starts what waits for a job that never ends', () => {
    const jobs = [
      simulated({ id: 'a', runMs: Infinity }),
      simulated({ id: 'b', gang: 2 }),
      simulated({ id: 'c' }),
    ]
    const runs = simulate({ jobs, workers: [{ name: 'w', threads: 2 }], policy })
    expect(runs.map(({ job: { id } }) => id)).toEqual(['a'])
  })

  it('learns from the jobs that end', () => {
    const short = Array.from({ length: 3 }, (_, i) =>
      simulated({ id: `a${i}`, type: 'short', createdAt: i * 20 }),
    )
    const long = Array.from({ length: 3 }, (_, i) =>
      simulated({ id: `b${i}`, type: 'long', createdAt: i * 150, runMs: 100, gang: 4 }),
    )
    const jobs = [
      ...short,
      ...long,
      simulated({ id: 'x', type: 'long', gang: 4, createdAt: 1000, runMs: 100 }),
      simulated({ id: 'y', type: 'head', gang: 8, createdAt: 1010 }),
      simulated({ id: 'z', type: 'short', createdAt: 1020 }),
    ]
    const runs = (predictions: Policy['predictions']) =>
      simulate({ jobs, workers: [{ name: 'w', threads: 8 }], policy: { ...policy, predictions } })
    expect(startOf(runs('learnt'), 'z')).toBe(1020)
    expect(startOf(runs('none'), 'z')).toBeGreaterThanOrEqual(1100)
    for (const kind of ['learnt', 'none'] as const) expect(startOf(runs(kind), 'y')).toBe(1100)
  })
})

/** EASY on one machine as the textbook has it, by looking at everything again at each moment. */
function easy(jobs: SimulatedJob[], threads: number): Map<string, number> {
  const starts = new Map<string, number>()
  const ends: { endAt: number; gang: number }[] = []
  const waiting = [...jobs]
  const freeAt = (time: number, more: typeof ends = []) =>
    threads -
    [...ends, ...more].filter(({ endAt }) => endAt > time).reduce((sum, { gang }) => sum + gang, 0)
  for (let now = 0; waiting.length > 0; now += 1) {
    const here = () => waiting.filter(({ createdAt }) => createdAt <= now)
    const start = (job: SimulatedJob) => {
      starts.set(job.id, now)
      ends.push({ endAt: now + job.runMs, gang: job.gang })
      waiting.splice(waiting.indexOf(job), 1)
    }
    for (let head = here()[0]; head && head.gang <= freeAt(now); head = here()[0]) start(head)
    const [head, ...others] = here()
    if (!head) continue
    for (const job of others) {
      const shadow = (more: typeof ends) => {
        let time = now
        while (freeAt(time, more) < head.gang) time += 1
        return time
      }
      const itself = { endAt: now + job.runMs, gang: job.gang }
      if (job.gang <= freeAt(now) && shadow([itself]) === shadow([])) start(job)
    }
  }
  return starts
}
