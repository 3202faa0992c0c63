import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import largeArraySum from './large-array-sum.ts'
import { runJob } from './testing.ts'

const widths = [1, 2, 3, 4, 7, 8, 16, 64]
const sum = (numbers: number[], width = 1) => runJob(largeArraySum, { numbers }, width)
/** Long enough to be cut into several blocks, of which there are 4096 numbers in each. */
const long = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 0, maxLength: 20_000 })

describe('large_array_sum', () => {
  it('gives 55 for one to ten, and 0 for nothing, on any number of threads', async () => {
    const ten = Array.from({ length: 10 }, (_, n) => n + 1)
    for (const width of widths) {
      expect(await sum(ten, width)).toBe(55)
      expect(await sum([], width)).toBe(0)
    }
  })

  it('is exact for integers whose sum is in the safe range', async () => {
    const integers = long(fc.integer({ min: -(2 ** 38), max: 2 ** 38 }))
    await fc.assert(
      fc.asyncProperty(integers, fc.constantFrom(...widths), async (numbers, width) => {
        const exact = numbers.reduce((total, number) => total + BigInt(number), 0n)
        expect(BigInt(Number(await sum(numbers, width)))).toBe(exact)
      }),
      { numRuns: 30 },
    )
  })

  it('gives the same bits for floats on any number of threads', async () => {
    const floats = long(fc.double({ noNaN: true, min: -1e100, max: 1e100 }))
    await fc.assert(
      fc.asyncProperty(floats, async (numbers) => {
        const answers = await Promise.all(widths.map((width) => sum(numbers, width)))
        for (const answer of answers) expect(Object.is(answer, answers[0])).toBe(true)
      }),
      { numRuns: 15 },
    )
  })

  it('loses no small numbers beside large ones, as adding one after the other does', async () => {
    const numbers = [1e16, ...Array.from({ length: 10_000 }, () => 1), -1e16]
    expect(numbers.reduce((total, number) => total + number, 0)).not.toBe(10_000)
    for (const width of widths) expect(await sum(numbers, width)).toBe(10_000)
    expect(await sum(Array.from({ length: 10 }, () => 0.1))).toBe(1)
  })

  it('fails where JSON could not carry the sum', async () => {
    await expect(sum([1.7e308, 1.7e308], 2)).rejects.toThrow(/largest number/)
  })

  it('makes no more chunks than threads, and hands numbers over in memory that all of them read', () => {
    const { parallel } = largeArraySum
    for (const width of widths) {
      const chunks = parallel?.split(
        { numbers: Array.from({ length: 9_000 }, () => 1) },
        width,
      ) as {
        numbers: Float64Array
      }[]
      expect(chunks.length).toBeLessThanOrEqual(width)
      expect(chunks[0]?.numbers.buffer).toBeInstanceOf(SharedArrayBuffer)
    }
  })
})
