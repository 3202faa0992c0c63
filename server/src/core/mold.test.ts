import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plan, type PlanView } from './plan.ts'
import { simulate, type SimulatedJob } from './simulate.ts'
import { plannedWorker, planView, queuedJob } from './testing.ts'

/** Prefers four threads, runs on one to eight: 100 ms alone, shared by its threads without loss. */
const moldable = queuedJob({ id: 'moldable', gang: 1, threadDemand: 4, maxThreads: 8 })
const shared = (_: unknown, width: number): number => 100 / width
const view = (given: Partial<PlanView>): PlanView =>
  planView({ queued: [moldable], predict: shared, predictOn: shared, ...given })

describe('a moldable job', () => {
  it('starts on what it prefers where others wait, though more are free', () => {
    const queued = [moldable, queuedJob({ id: 'other', gang: 8 })]
    const { starts } = plan(view({ queued, workers: [plannedWorker('w', 8)] }))
    expect(starts).toMatchObject([{ id: 'moldable', width: 4, widthReason: 'AS_DEMANDED' }])
  })

  it('takes threads that would idle, as long as it ends sooner with them', () => {
    const workers = [plannedWorker('w', 6)]
    expect(plan(view({ workers })).starts).toMatchObject([
      { width: 6, widthReason: 'WITHIN_RANGE' },
    ])
    const predictOn = (_: unknown, width: number) => Math.max(20, 100 / width)
    expect(plan(view({ workers, predictOn })).starts).toMatchObject([{ width: 5 }])
    expect(plan(view({ workers, predictOn: () => null })).starts).toMatchObject([{ width: 4 }])
  })

  it('starts on fewer where it ends sooner so than if it waited', () => {
    // Two of four threads are free; the others are at 60.
    const workers = [plannedWorker('w', 4, [2, 60])]
    expect(plan(view({ workers })).starts).toMatchObject([
      { width: 2, widthReason: 'WITHIN_RANGE' },
    ])
  })

  it('waits for what it prefers where that ends sooner, with a reservation', () => {
    const workers = [plannedWorker('w', 4, [2, 10])]
    expect(plan(view({ workers }))).toMatchObject({
      starts: [],
      reservation: { jobId: 'moldable', width: 4, startAt: 10 },
    })
  })

  it('passes a job that waits on fewer threads too, where it ends before that one starts', () => {
    const head = queuedJob({ id: 'head', gang: 8 })
    const queued = [head, moldable]
    const workers = [plannedWorker('w', 8, [6, 80])]
    expect(plan(view({ queued, workers }))).toMatchObject({
      starts: [{ id: 'moldable', width: 2, reason: 'ENDS_BEFORE_RESERVATION' }],
      reservation: { jobId: 'head', startAt: 80 },
    })
    // On two threads it would take 50, and the head would wait for it.
    const sooner = [plannedWorker('w', 8, [6, 40])]
    expect(plan(view({ queued, workers: sooner })).starts).toEqual([])
  })

  it('never starts on fewer than its least', () => {
    const queued = [{ ...moldable, gang: 3 }]
    const workers = [plannedWorker('w', 4, [2, 60])]
    expect(plan(view({ queued, workers })).starts).toEqual([])
  })

  it('runs on a node that is smaller than it prefers', () => {
    const workers = [plannedWorker('w', 2)]
    expect(plan(view({ workers, clusterMaxThreads: 8 })).starts).toMatchObject([{ width: 2 }])
  })

  it('learns its speed-up, and jobs of its type end sooner on the whole than with a fixed demand', () => {
    const runMsOn = (width: number): number => 100 + 900 / width
    const id = (at: number): string => String(at).padStart(6, '0')
    // Half of the worker is taken most of the time by jobs of a fixed demand.
    const fixed = Array.from({ length: 50 }, (_, i) => {
      const createdAt = i * 1200
      return { ...queuedJob({ id: id(createdAt), type: 'fixed', gang: 4, createdAt }), runMs: 1000 }
    })
    const jobs = (given: Partial<SimulatedJob>): SimulatedJob[] =>
      Array.from({ length: 100 }, (_, i) => {
        const createdAt = i * 600 + 50
        const job = queuedJob({ id: id(createdAt), threadDemand: 8, gang: 8, createdAt })
        return { ...job, runMs: 0, runMsOn, ...given }
      })
    const meanTotalMs = (given: Partial<SimulatedJob>): number => {
      const runs = simulate({
        jobs: [...fixed, ...jobs(given)],
        workers: [{ name: 'w', threads: 8 }],
        policy: { predictions: 'learnt', reservations: true },
      }).filter(({ job }) => job.type !== 'fixed')
      return runs.reduce((sum, { endAt, job }) => sum + endAt - job.createdAt, 0) / runs.length
    }
    expect(meanTotalMs({ gang: 1, maxThreads: 8 })).toBeLessThan(meanTotalMs({}) / 2)
  })

  it('stays within its range and the threads of its worker, whatever is expected', () => {
    const anyJob = fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.nat(8), fc.nat(8))
      .map(([gang, more, most]) => ({
        gang,
        threadDemand: gang + more,
        maxThreads: gang + more + most,
      }))
    fc.assert(
      fc.property(
        fc.array(anyJob, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
        fc.func(fc.option(fc.integer({ min: 1, max: 100 }))),
        (given, sizes, expected) => {
          const queued = given.map((job, i) => queuedJob({ id: `job-${i}`, ...job }))
          const workers = sizes.map((threads, i) => plannedWorker(`w${i}`, threads))
          const predictOn = (job: { id: string }, width: number) => expected(job.id, width)
          const { starts } = plan(view({ queued, workers, predict: predictOn, predictOn }))
          for (const { id, width, widthReason } of starts) {
            const job = queued.find((each) => each.id === id)
            if (widthReason === 'NO_WORKER_LARGE_ENOUGH') continue
            expect(width).toBeGreaterThanOrEqual(job?.gang ?? Infinity)
            expect(width).toBeLessThanOrEqual(job?.maxThreads ?? 0)
          }
          for (const { name, threads } of workers) {
            const used = starts.filter(({ workerName }) => workerName === name)
            expect(used.reduce((sum, { width }) => sum + width, 0)).toBeLessThanOrEqual(threads)
          }
        },
      ),
    )
  })
})
