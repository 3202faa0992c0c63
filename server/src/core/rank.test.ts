import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareRank, rank } from './rank.ts'

const priority = fc.integer({ min: -1000, max: 1000 })
const time = fc.integer({ min: 0, max: 4e12 })

describe('rank', () => {
  it('puts a higher priority first however long the other has waited, when strict', () => {
    fc.assert(
      fc.property(priority, priority, time, time, (p, q, t, u) => {
        fc.pre(p !== q)
        expect(rank(p, t, null) < rank(q, u, null)).toBe(p > q)
      }),
    )
  })

  it('is plain zero for the default priority', () => {
    expect(Object.is(rank(0, 5, null), 0)).toBe(true)
  })

  it('lets a job overtake those that come more than its lack of priority later, when ageing', () => {
    fc.assert(
      fc.property(priority, priority, time, time, (p, q, t, u) => {
        const agingMs = 1000
        const first = rank(p, t, agingMs) - rank(q, u, agingMs)
        expect(Math.sign(first)).toBe(Math.sign(t - u - (p - q) * agingMs) + 0)
      }),
    )
  })

  it('is a total order: ties go by id, and only a job itself compares as equal', () => {
    const ranked = fc.record({
      rank: fc.integer({ min: 0, max: 2 }),
      id: fc.constantFrom('a', 'b', 'c'),
    })
    fc.assert(
      fc.property(ranked, ranked, ranked, (a, b, c) => {
        expect(compareRank(a, b) + compareRank(b, a)).toBe(0)
        expect(compareRank(a, b) === 0).toBe(a.rank === b.rank && a.id === b.id)
        if (compareRank(a, b) < 0 && compareRank(b, c) < 0)
          expect(compareRank(a, c)).toBeLessThan(0)
      }),
    )
  })
})
