import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bestFit, fits, gangFor } from './capacity.ts'

const space = (name: string, free: number) => ({ name, threads: 8, free })

describe('capacity', () => {
  it('gives a job what it asks for', () => {
    expect(gangFor({ gang: 8, threadDemand: 8 }, 8)).toEqual({
      width: 8,
      widthReason: 'AS_DEMANDED',
    })
  })

  it('falls back to one thread where no worker is large enough', () => {
    expect(gangFor({ gang: 9, threadDemand: 9 }, 8)).toEqual({
      width: 1,
      widthReason: 'NO_WORKER_LARGE_ENOUGH',
    })
  })

  it('tells when more threads were asked for than the type can use', () => {
    expect(gangFor({ gang: 1, threadDemand: 4 }, 8).widthReason).toBe('TYPE_NOT_PARALLEL')
    expect(gangFor({ gang: 1, threadDemand: 1 }, 8).widthReason).toBe('AS_DEMANDED')
  })

  it('prefers the worker left with the fewest free threads, the first among equals', () => {
    const workers = [space('a', 8), space('b', 3), space('c', 3), space('d', 1)]
    expect(bestFit(2, workers)?.name).toBe('b')
    expect(bestFit(9, workers)).toBeNull()
  })

  it('finds a place exactly where one worker alone has room for the whole gang', () => {
    const anyWorkers = fc.array(fc.nat(8).map((free) => space('w', free)))
    fc.assert(
      fc.property(anyWorkers, fc.integer({ min: 1, max: 12 }), (workers, width) => {
        const place = bestFit(width, workers)
        expect(place !== null).toBe(fits(width, workers))
        if (place === null) return
        expect(place.free).toBeGreaterThanOrEqual(width)
        for (const { free } of workers)
          if (free >= width) expect(place.free).toBeLessThanOrEqual(free)
      }),
    )
  })
})
