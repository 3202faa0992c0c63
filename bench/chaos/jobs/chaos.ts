import { appendFileSync } from 'node:fs'
import { defineJob, type JobContext } from 'heddle'
import { z } from 'zod'

const Payload = z.object({
  key: z.string(),
  record: z.string(),
  ms: z.int().min(0).max(60_000),
  /** what goes wrong in the first attempt */
  trouble: z.enum(['none', 'throw', 'exit', 'spin']),
})

/** The record outside the database: what really happened, whatever the tables say. */
const write = (payload: z.output<typeof Payload>, context: JobContext, event: string): void =>
  appendFileSync(
    payload.record,
    `${JSON.stringify({ key: payload.key, job: context.jobId, attempt: context.attempt, event, at: Date.now() })}\n`,
  )

export default defineJob({
  type: 'chaos',
  payload: Payload,
  timeoutMs: 2_000,
  maxAttempts: 25,
  backoff: { baseMs: 50, maxMs: 500 },
  async run(payload, context) {
    write(payload, context, 'start')
    if (context.attempt === 1 && payload.trouble !== 'none') {
      if (payload.trouble === 'throw') {
        write(payload, context, 'end')
        throw new Error('the first attempt fails')
      }
      if (payload.trouble === 'exit') {
        write(payload, context, 'end')
        process.exit(3)
      }
      for (;;) if (context.cancelled) break
    }
    // Beats tell when an attempt was last alive, should it never reach its end.
    const until = Date.now() + payload.ms
    while (Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(50, until - Date.now())))
      write(payload, context, 'beat')
    }
    write(payload, context, 'end')
    return payload.key
  },
})
