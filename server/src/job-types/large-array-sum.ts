/**
 * The sum of many numbers, the same to the last bit on any number of threads: numbers are summed in
 * blocks of fixed size, cuts between threads fall between blocks, and the blocks' sums are added in
 * their order. Within and across blocks the sum is compensated (Neumaier 1974), so that small numbers
 * beside large ones are not lost; integers within the safe range come out exact.
 */
import { z } from 'zod'
import { chunks, type Range } from '../core/chunks.ts'
import { defineJob } from './job-type.ts'

const BLOCK = 4096

interface Chunk extends Range {
  /** all numbers, in memory that every thread reads in place */
  numbers: Float64Array
}

/** A chunk for each of at most `width` threads. */
export const cut = (numbers: Float64Array, width: number): Chunk[] =>
  chunks(numbers.length, width, BLOCK).map((range) => ({ ...range, numbers }))

/** A running sum and what rounding has taken from it, as two numbers to be added at the very end. */
interface Compensated {
  sum: number
  lost: number
}

/** What rounding takes from `sum + value` when it makes `next` of it; exact. */
const lostOf = (sum: number, value: number, next: number): number =>
  Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum

// Both are locals: kept in an object, they go through memory at each step.
function sumOf(numbers: Float64Array, start: number, end: number): Compensated {
  let sum = 0
  let lost = 0
  for (let index = start; index < end; index += 1) {
    const value = numbers[index] ?? 0
    const next = sum + value
    lost += lostOf(sum, value, next)
    sum = next
  }
  return { sum, lost }
}

function valueOf({ sum, lost }: Compensated): number {
  if (!Number.isFinite(sum))
    throw new RangeError('The sum is beyond the largest number JSON can carry')
  return sum + lost
}

export default defineJob({
  type: 'large_array_sum',
  description: 'Sums an array of numbers, in chunks on as many threads as it is given',
  payload: z
    .strictObject({ numbers: z.array(z.number()) })
    .meta({ examples: [{ numbers: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }] }),
  parallel: {
    split({ numbers }, width): Chunk[] {
      const shared = new Float64Array(new SharedArrayBuffer(numbers.length * 8))
      shared.set(numbers)
      return cut(shared, width)
    },
    /** Each block's sum and what it has lost, in plain memory: thousands of objects are slow to hand over. */
    run({ numbers, start, end }, context): Float64Array {
      const blocks = new Float64Array(2 * Math.ceil((end - start) / BLOCK))
      for (let from = start, at = 0; from < end; from += BLOCK, at += 2) {
        context.throwIfCancelled()
        const { sum, lost } = sumOf(numbers, from, Math.min(end, from + BLOCK))
        blocks[at] = sum
        blocks[at + 1] = lost
        context.progress((from - start) / (end - start))
      }
      return blocks
    },
    merge(parts): number {
      let sum = 0
      let lost = 0
      for (const blocks of parts) {
        for (let at = 0; at < blocks.length; at += 2) {
          const value = blocks[at] ?? 0
          const next = sum + value
          lost += lostOf(sum, value, next)
          lost += blocks[at + 1] ?? 0
          sum = next
        }
      }
      return valueOf({ sum, lost })
    },
  },
})
