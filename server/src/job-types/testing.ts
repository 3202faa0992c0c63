import type { JobContext, JobType } from './job-type.ts'

export const context: JobContext = {
  jobId: 'job',
  attempt: 1,
  width: 1,
  signal: new AbortController().signal,
  cancelled: false,
  throwIfCancelled: () => undefined,
  progress: () => undefined,
}

/** Runs a type as a worker does on `width` threads, but all in this one; chunks and parts are cloned on their way. */
export async function runJob(type: JobType, given: unknown, width = 1): Promise<unknown> {
  const payload = type.payload.parse(structuredClone(given))
  if (!type.parallel) return type.run(payload, context)
  const { split, run, merge } = type.parallel
  const chunks = split(payload, width)
  const parts = await Promise.all(
    chunks.map(async (chunk) =>
      structuredClone(await run(structuredClone(chunk), { ...context, width })),
    ),
  )
  return merge(parts, payload)
}
