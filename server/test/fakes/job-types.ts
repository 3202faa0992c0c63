import { z } from 'zod'
import type { JobTypeView } from '../../src/api/context.ts'

const describeType = (
  type: string,
  payload: z.ZodType,
  description: string,
  parallel = false,
): JobTypeView & { payload: z.ZodType } => ({
  type,
  description,
  parallel,
  timeoutMs: 300_000,
  maxAttempts: 1,
  backoff: { baseMs: 1000, maxMs: 60_000 },
  payloadSchema: z.toJSONSchema(payload, { io: 'input', unrepresentable: 'any' }),
  payload,
})

/** Job types like the built-in ones, and one with everything that GraphQL finds hard to say. */
export const fakeJobTypes = [
  describeType('add_numbers', z.object({ a: z.number(), b: z.number() }), 'Adds two numbers'),
  describeType('reverse_string', z.object({ text: z.string() }), 'Reverses a text'),
  describeType(
    'resize_image',
    z.object({
      image: z.string().optional(),
      width: z.int().min(1).max(10_000),
      height: z.int().min(1).max(10_000).optional(),
      fit: z.enum(['cover', 'contain', 'fill', 'inside', 'outside']).default('cover'),
      format: z.enum(['png', 'jpeg', 'webp', 'avif']).optional(),
    }),
    'Resizes an image',
  ),
  describeType(
    'large_array_sum',
    z.object({ numbers: z.array(z.number()) }),
    'Sums numbers on many threads',
    true,
  ),
]
