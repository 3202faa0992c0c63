import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { percentile, times } from './metrics.ts'

describe('times', () => {
  it('does not count a delay that was asked for as waiting', () => {
    expect(times({ createdAt: 100, runAt: 500, startedAt: 520, finishedAt: 600 })).toEqual({
      queueTimeMs: 20,
      executionTimeMs: 80,
      totalTimeMs: 500,
    })
  })

  it('is unknown for what has not happened', () => {
    expect(times({ createdAt: 1, runAt: 1, startedAt: null, finishedAt: null })).toEqual({
      queueTimeMs: null,
      executionTimeMs: null,
      totalTimeMs: null,
    })
    expect(times({ createdAt: 1, runAt: 1, startedAt: null, finishedAt: 4 })).toEqual({
      queueTimeMs: null,
      executionTimeMs: null,
      totalTimeMs: 3,
    })
  })

  it('is never below zero, whatever the clocks said', () => {
    const time = fc.nat(100)
    fc.assert(
      fc.property(time, time, time, time, (createdAt, runAt, startedAt, finishedAt) => {
        const all = Object.values(times({ createdAt, runAt, startedAt, finishedAt }))
        for (const ms of all) expect(ms).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})

describe('percentile', () => {
  it('is one of the values, and as many as asked do not exceed it', () => {
    expect(percentile([], 0.5)).toBeNull()
    expect(percentile([5, 1, 3], 0.5)).toBe(3)
    expect(percentile([5, 1, 3], 1)).toBe(5)
    expect(percentile([5, 1, 3], 0)).toBe(1)
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1 }), share, (values, part) => {
        const found = percentile(values, part) ?? NaN
        const below = values.filter((value) => value < found).length
        const upTo = values.filter((value) => value <= found).length
        expect(upTo).toBeGreaterThanOrEqual(part * values.length - 1e-9)
        expect(below === 0 || below < part * values.length).toBe(true)
      }),
    )
  })
})
