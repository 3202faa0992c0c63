import { z } from 'zod'
import { defineJob } from './job-type.ts'

export default defineJob({
  type: 'add_numbers',
  description: 'Adds two numbers',
  payload: z.strictObject({ a: z.number(), b: z.number() }).meta({ examples: [{ a: 13, b: 42 }] }),
  run({ a, b }) {
    const sum = a + b
    if (Number.isFinite(sum)) return sum
    throw new RangeError('The sum is beyond the largest number JSON can carry')
  },
})
