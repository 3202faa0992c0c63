import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs } from './retry.ts'

describe('back-off', () => {
  const backoff = { baseMs: 1000, maxMs: 10_000 }

  it('doubles from attempt to attempt up to its limit', () => {
    expect([1, 2, 3, 4, 5, 100].map((attempt) => backoffMs(backoff, attempt, 0))).toEqual([
      1000, 2000, 4000, 8000, 10_000, 10_000,
    ])
  })

  it('is at least half and at most all of the full wait, whatever the jitter', () => {
    const anyBackoff = fc
      .tuple(fc.nat(100_000), fc.nat(1_000_000))
      .map(([baseMs, more]) => ({ baseMs, maxMs: baseMs + more }))
    const jitter = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(anyBackoff, fc.integer({ min: 1, max: 200 }), jitter, (any, attempt, part) => {
        const full = backoffMs(any, attempt, 0)
        const wait = backoffMs(any, attempt, part)
        expect(full).toBeLessThanOrEqual(any.maxMs)
        expect(wait).toBeLessThanOrEqual(full)
        expect(wait).toBeGreaterThanOrEqual(Math.floor(full / 2))
      }),
    )
  })
})
