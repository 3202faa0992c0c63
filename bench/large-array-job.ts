/** The job type of `large-array.ts`: the built-in sum, over numbers that are binary before the clock starts. */
import { defineJob } from 'heddle'
import { z } from 'zod'
import largeArraySum, { cut } from '../server/src/job-types/large-array-sum.ts'

const { parallel } = largeArraySum
if (!parallel) throw new Error('large_array_sum is not parallel')

/** The same numbers in every thread that makes them: amounts of money, of both signs. */
export function amounts(count: number): Float64Array {
  const numbers = new Float64Array(new SharedArrayBuffer(count * 8))
  let state = 1
  for (let index = 0; index < count; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    numbers[index] = ((state % 2_000_001) - 1_000_000) / 100
  }
  return numbers
}

/** Made by the first job in this thread, which is not timed. */
let numbers: Float64Array = new Float64Array()

export default defineJob({
  type: 'binary_array_sum',
  payload: z.object({ count: z.int() }),
  parallel: {
    split({ count }, width) {
      if (numbers.length !== count) numbers = amounts(count)
      return cut(numbers, width)
    },
    run: (chunk, context) => parallel.run(chunk, context),
    merge: (parts) => parallel.merge(parts, null),
  },
})
