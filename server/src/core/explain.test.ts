import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEstimator, type Estimator } from './estimate.ts'
import { explain, explainUnseen, MAX_POSITION, type ExplainView } from './explain.ts'
import { plan } from './plan.ts'
import { withPredictions } from './predicted-view.ts'
import { createQueue } from './queue.ts'
import { queuedJob } from './testing.ts'

const knowing = (times: Record<string, number[]>): Estimator => {
  const estimator = createEstimator()
  for (const [type, all] of Object.entries(times)) {
    for (const ms of all) estimator.learn({ type, width: 1 }, ms)
  }
  return estimator
}
const view = (given: Partial<ExplainView>): ExplainView => ({
  queued: [],
  workers: [],
  clusterMaxThreads: Math.max(0, ...(given.workers ?? []).map(({ threads }) => threads)),
  now: 1000,
  estimator: createEstimator(),
  ...given,
})
const idle = (threads: number) => ({ name: 'w', threads, running: [] })
/** A worker on which one job of a type has run on `width` threads for 50 ms. */
const busy = (threads: number, width: number, type: string) => ({
  name: 'w',
  threads,
  running: [{ jobId: 'r', type, width, rank: 0, startedAt: 950 }],
})
const job = (id: string, gang = 1, type = 'any') => queuedJob({ id, gang, type })

describe('explain', () => {
  it('says that a job starts now', () => {
    const queued = [job('a')]
    expect(explain(view({ queued, workers: [idle(2)] }), job('a'))).toEqual({
      position: 1,
      reason: 'STARTS_NOW',
      ahead: [],
      width: 1,
      workers: [{ name: 'w', threads: 2, free: 2 }],
      freeThreads: 2,
      reservation: null,
      estimatedStart: { p50: 1000, p90: 1000 },
    })
  })

  it('gives the head its reservation, and a start where the run times before it are known', () => {
    const workers = [busy(4, 2, 'known')]
    const queued = [job('head', 4), job('next', 2)]
    const estimator = knowing({ known: [100] })
    const given = view({ queued, workers, estimator })
    expect(explain(given, job('head', 4))).toMatchObject({
      position: 1,
      reason: 'RESERVED',
      freeThreads: 2,
      reservation: { jobId: 'head', startAt: 1050, promisedAt: 1050 },
      estimatedStart: { p50: 1050, p90: 1050 },
    })
    expect(explain(given, job('next', 2))).toMatchObject({
      position: 2,
      reason: 'WOULD_DELAY_HEAD',
      // Nobody knows how long the head will run.
      estimatedStart: null,
    })
  })

  it('gives no start that hangs on a job of which nothing is known', () => {
    const given = view({ queued: [job('a', 2)], workers: [busy(2, 1, 'unknown')] })
    expect(explain(given, job('a', 2)).estimatedStart).toBeNull()
  })

  it('gives no start for a job that only another node can run', () => {
    const given = view({
      queued: [job('a', 8)],
      workers: [idle(2)],
      clusterMaxThreads: 8,
    })
    expect(explain(given, job('a', 8))).toMatchObject({
      reason: 'ANOTHER_NODE',
      position: 1,
      estimatedStart: null,
    })
  })

  it('says that free threads are kept for the head, where nothing is lent', () => {
    const queued = [job('head', 2), job('next')]
    const given = view({ queued, workers: [busy(2, 1, 'unknown')] })
    expect(explain(given, job('next')).reason).toBe('WOULD_DELAY_HEAD')
  })

  it('says that others take the threads first', () => {
    const queued = [job('a'), job('b'), job('c')]
    expect(explain(view({ queued, workers: [idle(1)] }), job('c'))).toMatchObject({
      reason: 'BEHIND_OTHERS',
      position: 3,
      ahead: ['a', 'b'],
    })
  })

  it('spreads the estimate as far as run times spread', () => {
    const times = [60, 70, 80, 90, 100, 110, 120, 130, 140, 1050]
    const given = view({
      queued: [job('a', 1)],
      workers: [busy(1, 1, 'varied')],
      estimator: knowing({ varied: times }),
    })
    const { p50, p90 } = explain(given, job('a', 1)).estimatedStart ?? { p50: 0, p90: 0 }
    expect(p50).toBeGreaterThan(1000)
    expect(p90).toBeGreaterThan(p50)
  })

  it('tells no place far back in the queue', () => {
    const queued = createQueue(
      Array.from({ length: MAX_POSITION + 5 }, (_, i) => job(`job-${String(i).padStart(4, '0')}`)),
    )
    const last = job(`job-${String(MAX_POSITION + 4).padStart(4, '0')}`)
    expect(explain(view({ queued, workers: [idle(1)] }), last)).toMatchObject({
      position: null,
      reason: 'BEHIND_OTHERS',
      estimatedStart: null,
    })
  })

  it('says of a job that it does not see what can be said honestly: no place and no time', () => {
    const blocked = view({ workers: [busy(4, 4, 'known')] })
    expect(explainUnseen(blocked, job('far'), true)).toMatchObject({
      reason: 'BEHIND_OTHERS',
      position: null,
      estimatedStart: null,
      workers: [{ name: 'w', threads: 4, free: 0 }],
    })
    expect(explainUnseen(blocked, job('of-a-type-of-others'), false).reason).toBe('ANOTHER_NODE')
    const frontEnd = view({ workers: [], clusterMaxThreads: 8 })
    expect(explainUnseen(frontEnd, job('any'), false).reason).toBe('ANOTHER_NODE')
    expect(explainUnseen(view({}), job('any'), false).reason).toBe('NO_WORKER')
  })

  it('says of a job that it starts now exactly when the plan starts it, and teaches the estimator nothing', () => {
    const anyJobs = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(anyJobs, fc.nat(4), fc.nat(9), (gangs, width, pick) => {
        const queued = gangs.map((gang, i) => job(`job-${i}`, gang, i % 2 ? 'known' : 'unknown'))
        const estimator = knowing({ known: [100, 200] })
        const workers = width > 0 ? [busy(4, width, 'known')] : [idle(4)]
        const given = view({ queued, workers, estimator })
        const asked = queued[pick % queued.length] ?? job('none')
        const { starts } = plan(withPredictions(given, estimator))
        const { reason, estimatedStart } = explain(given, asked)
        expect(reason === 'STARTS_NOW').toBe(starts.some(({ id }) => id === asked.id))
        if (reason === 'STARTS_NOW') expect(estimatedStart).toEqual({ p50: 1000, p90: 1000 })
        expect(estimator.samples({ type: 'known', width: 1 })).toEqual([100, 200])
      }),
      { numRuns: 50 },
    )
  })
})
