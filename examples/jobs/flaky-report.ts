/** A job that fails at first, as things that depend on others do, and is tried again after its back-off. */
import { defineJob } from 'heddle'
import { z } from 'zod'

export default defineJob({
  type: 'flaky_report',
  description: 'Fails a number of times, to show attempts and back-off',
  payload: z
    .strictObject({ title: z.string().min(1), failures: z.int().min(0).max(10).default(1) })
    .meta({ examples: [{ title: 'Monday', failures: 1 }] }),
  maxAttempts: 3,
  backoff: { baseMs: 500, maxMs: 5_000 },
  run({ title, failures }, { attempt }) {
    if (attempt <= failures) throw new Error(`The source of "${title}" does not answer yet`)
    return { title, attempt }
  },
})
