import { defineJob } from 'heddle'
import { z } from 'zod'

/** Keeps a core busy and never yields. */
export default defineJob({
  type: 'spin',
  payload: z.object({ ms: z.int().min(1).max(3_600_000) }),
  timeoutMs: 3_600_000,
  run({ ms }, { attempt }) {
    const until = Date.now() + ms
    while (Date.now() < until);
    return attempt
  },
})
