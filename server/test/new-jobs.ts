import { v7 } from 'uuid'
import type { Job } from '../src/core/job.ts'
import type { NewJob } from '../src/store/insert.ts'

/** A job as a submission makes it. `createdAt` should come from the store's clock where times matter. */
export function newJob(fields: Partial<Job> & { payload?: unknown; key?: string } = {}): NewJob {
  const { payload = { a: 1, b: 2 }, key, ...given } = fields
  const createdAt = given.createdAt ?? Date.now()
  const priority = given.priority ?? 0
  return {
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    idempotencyKey: key ?? null,
    job: {
      id: v7(),
      name: 'a job',
      type: 'add_numbers',
      priority,
      threadDemand: 1,
      gang: 1,
      width: null,
      widthReason: null,
      state: 'QUEUED',
      rank: 0 - priority,
      attempt: 0,
      maxAttempts: 1,
      backoff: { baseMs: 1000, maxMs: 60_000 },
      timeoutMs: null,
      attempts: [],
      createdAt,
      runAt: createdAt,
      startedAt: null,
      finishedAt: null,
      nodeId: null,
      workerName: null,
      cancelRequested: false,
      error: null,
      progress: null,
      queueTimeMs: null,
      executionTimeMs: null,
      totalTimeMs: null,
      maxThreads: null,
      expectedMs: null,
      sizeClass: 0,
      fairnessKey: null,
      fairCostMs: null,
      ...given,
    },
  }
}

export const newJobs = (count: number, fields: Parameters<typeof newJob>[0] = {}): NewJob[] =>
  Array.from({ length: count }, () => newJob(fields))
