import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEstimator, sizeClass } from './estimate.ts'

const like = { type: 'resize', width: 2, sizeClass: 10 }

describe('estimator', () => {
  it('predicts nothing of what it has never seen', () => {
    const estimator = createEstimator()
    estimator.learn({ type: 'other', width: 2 }, 50)
    expect(estimator.runMs(like)).toBeNull()
    expect(estimator.endAt(like, 100, 200)).toBeNull()
    expect(estimator.samples(like)).toEqual([])
  })

  it('takes the hint until it has learnt, and then what it has learnt', () => {
    const estimator = createEstimator()
    expect(estimator.runMs({ ...like, expectedMs: 900 })).toBe(900)
    estimator.learn(like, 100)
    expect(estimator.runMs({ ...like, expectedMs: 900 })).toBe(100)
  })

  it('takes the hint again where hints come much closer than the mean, and only for jobs that have one', () => {
    const estimator = createEstimator()
    for (const ms of [100, 900, 100, 900, 100, 900])
      estimator.learn({ ...like, expectedMs: ms + 50 }, ms)
    expect(estimator.runMs({ ...like, expectedMs: 700 })).toBe(700)
    expect(estimator.runMs({ ...like, expectedMs: 700, timeoutMs: 600 })).toBe(600)
    expect(estimator.runMs(like)).toBe(500)
    // Jobs of another size are like it only by their width, and hints were right for all of those.
    expect(estimator.runMs({ ...like, sizeClass: 3, expectedMs: 700 })).toBe(700)
  })

  it('gives up on hints that have become worse than the mean', () => {
    const estimator = createEstimator()
    for (const ms of [100, 900, 100, 900, 100]) estimator.learn({ ...like, expectedMs: ms }, ms)
    expect(estimator.runMs({ ...like, expectedMs: 5000 })).toBe(5000)
    for (let i = 0; i < 16; i += 1) estimator.learn({ ...like, expectedMs: 5000 }, 500)
    expect(estimator.runMs({ ...like, expectedMs: 5000 })).toBe(500)
  })

  it('keeps to the mean where hints are closer, but not by much', () => {
    const estimator = createEstimator()
    for (const ms of [100, 900, 100, 900, 100, 900])
      estimator.learn({ ...like, expectedMs: ms + 300 }, ms)
    expect(estimator.runMs({ ...like, expectedMs: 700 })).toBe(500)
  })

  it('goes by the mean of the latest run times', () => {
    const estimator = createEstimator()
    for (const ms of [100, 300, 800]) estimator.learn(like, ms)
    expect(estimator.runMs(like)).toBe(400)
    expect(estimator.samples(like)).toEqual([100, 300, 800])
    for (let i = 0; i < 16; i += 1) estimator.learn(like, 5)
    expect(estimator.runMs(like)).toBe(5)
  })

  it('prefers jobs of the same size and width, then of the same width, then of the same type', () => {
    const estimator = createEstimator()
    estimator.learn({ type: 'resize', width: 4 }, 1)
    expect(estimator.runMs(like)).toBe(1)
    estimator.learn({ type: 'resize', width: 2, sizeClass: 3 }, 20)
    expect(estimator.runMs(like)).toBe(20)
    estimator.learn(like, 300)
    expect(estimator.runMs(like)).toBe(300)
    expect(estimator.runMs({ ...like, sizeClass: 3 })).toBe(20)
  })

  it('never expects more than the time limit', () => {
    const estimator = createEstimator()
    estimator.learn(like, 5000)
    const limited = { ...like, timeoutMs: 1000 }
    expect(estimator.runMs(limited)).toBe(1000)
    expect(estimator.endAt(limited, 0, 999)).toBe(1000)
    expect(estimator.endAt(limited, 0, 4000)).toBe(1000)
  })

  it('corrects a prediction that a job has outrun, by those that ran longer and then by half', () => {
    const estimator = createEstimator()
    for (const ms of [700, 900, 100, 300]) estimator.learn(like, ms)
    expect(estimator.endAt(like, 1000, 1499)).toBe(1500)
    expect(estimator.endAt(like, 1000, 1500)).toBe(1000 + (700 + 900) / 2)
    expect(estimator.endAt(like, 1000, 1800)).toBe(1900)
    expect(estimator.endAt(like, 1000, 2000)).toBe(2500)
  })

  it('expects the end of what still runs after now, as long as there is no time limit', () => {
    const times = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(
        times,
        fc.nat(5000),
        fc.integer({ min: 1, max: 5000 }),
        (runs, startedAt, elapsed) => {
          const estimator = createEstimator()
          for (const ms of runs) estimator.learn(like, ms)
          expect(estimator.endAt(like, startedAt, startedAt + elapsed)).toBeGreaterThan(
            startedAt + elapsed,
          )
        },
      ),
    )
  })

  it('remembers a bounded number of kinds and of run times, the latest', () => {
    const estimator = createEstimator()
    estimator.learn({ type: 'old', width: 1 }, 1)
    for (let i = 0; i < 6000; i += 1) estimator.learn({ type: `type-${i}`, width: 1 }, i)
    expect(estimator.runMs({ type: 'old', width: 1 })).toBeNull()
    expect(estimator.runMs({ type: 'type-5999', width: 1 })).toBe(5999)
    for (let i = 0; i < 40; i += 1) estimator.learn(like, i)
    expect(estimator.samples(like)).toEqual(Array.from({ length: 16 }, (_, i) => 24 + i))
  })
})

describe('size class', () => {
  it('goes up by one with each doubling', () => {
    expect([0, 1, 2, 3, 4, 7, 8, 1023, 1024].map(sizeClass)).toEqual([0, 1, 2, 2, 3, 3, 4, 10, 11])
  })

  describe('on a number of threads that was never tried', () => {
    const learnt = (...runs: [width: number, ms: number][]) => {
      const estimator = createEstimator()
      for (const [width, ms] of runs) estimator.learn({ type: 'a', width }, ms)
      return (width: number) => estimator.runMsOn({ type: 'a', width })
    }

    it('knows nothing of nothing', () => {
      expect(learnt()(4)).toBeNull()
    })

    it('expects the worst where one number was tried: fewer share all the work, more are no help', () => {
      const on = learnt([4, 100])
      expect([on(1), on(2), on(4), on(8)]).toEqual([400, 200, 100, 100])
    })

    it('finds the part that threads do not share where several were tried', () => {
      // 40 ms that one thread does alone, and 160 ms of work for all.
      const on = learnt([1, 200], [2, 120])
      expect(on(4)).toBeCloseTo(80)
      expect(on(16)).toBeCloseTo(50)
    })

    it('never expects less than nothing, nor that more threads take longer', () => {
      expect(learnt([1, 100], [4, 1])(8)).toBeGreaterThanOrEqual(0)
      expect(learnt([1, 100], [2, 150])(8)).toBeCloseTo(125)
    })
  })
})
