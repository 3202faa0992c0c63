import { describe, expect, it } from 'vitest'
import { summarize } from './summary.ts'
import { queuedJob } from './testing.ts'

const run = (createdAt: number, startAt: number, endAt: number, width = 1) => ({
  job: { ...queuedJob({ createdAt }), runMs: endAt - startAt },
  workerName: 'w',
  width,
  reason: null,
  startAt,
  endAt,
})

describe('summary', () => {
  it('tells waits, slowdowns and the share of threads in use', () => {
    const runs = [run(0, 0, 20_000, 2), run(0, 20_000, 40_000, 4), run(10_000, 35_000, 36_000)]
    expect(summarize(runs, 8)).toEqual({
      jobs: 3,
      meanWaitMs: 15_000,
      maxWaitMs: 25_000,
      meanBoundedSlowdown: (1 + 2 + 2.6) / 3,
      utilization: (2 * 20 + 4 * 20 + 1) / (8 * 40),
    })
  })

  it('does not count a short wait as a large slowdown, nor less than the run itself', () => {
    expect(summarize([run(0, 10, 20)], 1).meanBoundedSlowdown).toBe(1)
  })

  it('is zero of nothing', () => {
    expect(summarize([], 4)).toMatchObject({ jobs: 0, meanWaitMs: 0, utilization: 0 })
  })
})
