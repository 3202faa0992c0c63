import { describe, expect, it } from 'vitest'
import { createEstimator } from './estimate.ts'
import { queuedJob } from './testing.ts'
import { whatIf, type Change, type Forecast, type Present } from './what-if.ts'

const NOW = 10_000

/** Ten jobs of one thread and 100 ms each in the queue, behind one with 50 ms to go, on one worker. */
const present = (given: Partial<Present> = {}): Present => {
  const estimator = createEstimator()
  for (const width of [1, 2, 4]) estimator.learn({ type: 'known', width }, 100 / width)
  return {
    queued: Array.from({ length: 10 }, (_, i) => queuedJob({ id: `job-${i}`, type: 'known' })),
    running: [
      { jobId: 'r', type: 'known', width: 1, rank: 0, startedAt: NOW - 50, workerName: 'w' },
    ],
    workers: [{ name: 'w', threads: 1 }],
    estimator,
    agingMs: null,
    now: NOW,
    unknownMs: 1000,
    isParallel: () => true,
    ...given,
  }
}

function forecast(change: Change, given: Partial<Present> = {}): Forecast {
  const steps = whatIf(present(given), change)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

describe('whatIf', () => {
  it('tells the waits from now on if nothing changes', () => {
    expect(forecast({})).toEqual({
      jobs: 10,
      left: 0,
      guessed: 0,
      waits: { meanMs: 500, p50Ms: 450, p90Ms: 850, maxMs: 950 },
      byType: [{ type: 'known', jobs: 10, meanMs: 500, p50Ms: 450, p90Ms: 850, maxMs: 950 }],
      utilization: 1,
      makespanMs: 1050,
    })
  })

  it('shows what more threads would do', () => {
    const workers = [{ name: 'w', threads: 11 }]
    expect(forecast({ workers })).toMatchObject({ waits: { maxMs: 0 }, makespanMs: 100 })
  })

  it('shows what another priority would do, to a type or to one job', () => {
    const queued = [
      queuedJob({ id: 'a', type: 'known' }),
      queuedJob({ id: 'b', type: 'other' }),
      queuedJob({ id: 'c', type: 'known' }),
    ]
    const waitOf = (change: Change, type: string) =>
      forecast(change, { queued }).byType.find((each) => each.type === type)?.meanMs
    expect(waitOf({}, 'other')).toBe(150)
    expect(waitOf({ priorities: [{ type: 'other', priority: 1 }] }, 'other')).toBe(50)
    expect(waitOf({ priorities: [{ jobId: 'b', priority: -1 }] }, 'other')).toBe(250)
  })

  it('shows what another demand would do, where the type can use it', () => {
    const workers = [{ name: 'w', threads: 4 }]
    const change = { workers, demands: [{ type: 'known', threadDemand: 4 }] }
    expect(forecast(change, { running: [] }).makespanMs).toBe(250)
    expect(forecast(change, { running: [], isParallel: () => false }).makespanMs).toBe(300)
  })

  it('counts jobs whose run time it had to assume', () => {
    const queued = [queuedJob({ id: 'a', type: 'unknown' })]
    expect(forecast({}, { queued })).toMatchObject({ guessed: 1, makespanMs: 1050 })
  })

  it('yields what is known by then after each decision', () => {
    const steps = whatIf(present(), {})
    const { value } = steps.next()
    if (typeof value !== 'function') throw new Error('it ended at once')
    expect(value()).toMatchObject({ jobs: 0, left: 10 })
  })
})
