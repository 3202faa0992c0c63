import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunks } from './chunks.ts'

describe('chunks', () => {
  it('cuts a list into nearly equal parts', () => {
    expect(chunks(10, 3)).toEqual([
      { start: 0, end: 3 },
      { start: 3, end: 6 },
      { start: 6, end: 10 },
    ])
  })

  it('makes no empty parts', () => {
    expect(chunks(2, 8)).toHaveLength(2)
    expect(chunks(0, 8)).toEqual([])
  })

  it('covers every item once, in order, cutting only between blocks, with parts at most a block apart', () => {
    const size = fc.integer({ min: 1, max: 64 })
    fc.assert(
      fc.property(fc.nat(5000), size, size, (n, parts, block) => {
        const ranges = chunks(n, parts, block)
        expect(ranges.length).toBeLessThanOrEqual(parts)
        let next = 0
        const sizes: number[] = []
        for (const { start, end } of ranges) {
          expect(start).toBe(next)
          expect(end).toBeGreaterThan(start)
          expect(start % block).toBe(0)
          sizes.push(Math.ceil((end - start) / block))
          next = end
        }
        expect(next).toBe(n)
        if (n > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })
})
