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

/** A running sum and what rounding has taken from it, as two numbers to be added at the very end. */
interface Compensated {
  sum: number
  lost: number
}

function add(total: Compensated, value: number): void {
  const sum = total.sum + value
  total.lost +=
    Math.abs(total.sum) >= Math.abs(value) ? total.sum - sum + value : value - sum + total.sum
  total.sum = sum
}

function sumBlock(numbers: Float64Array, start: number, end: number): Compensated {
  const total = { sum: 0, lost: 0 }
  for (let index = start; index < end; index += 1) add(total, numbers[index] ?? 0)
  return total
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
      return chunks(numbers.length, width, BLOCK).map((range) => ({ ...range, numbers: shared }))
    },
    run({ numbers, start, end }, context): Compensated[] {
      const sums: Compensated[] = []
      for (let from = start; from < end; from += BLOCK) {
        context.throwIfCancelled()
        sums.push(sumBlock(numbers, from, Math.min(end, from + BLOCK)))
        context.progress((from - start) / (end - start))
      }
      return sums
    },
    merge(parts): number {
      const total = { sum: 0, lost: 0 }
      for (const block of parts.flat()) {
        add(total, block.sum)
        total.lost += block.lost
      }
      return valueOf(total)
    },
  },
})
