import type { Job, QueuedJob } from './job.ts'
import type { PlannedWorker, PlanView } from './plan.ts'

/** For tests: sensible everywhere but in what is given. */
export const queuedJob = (given: Partial<QueuedJob> = {}): QueuedJob => ({
  id: 'job',
  type: 'any',
  rank: 0,
  gang: 1,
  threadDemand: given.gang ?? 1,
  createdAt: 0,
  ...given,
})

export const runningJob = (given: Partial<Job> = {}): Job => ({
  id: 'job',
  name: 'a job',
  type: 'any',
  priority: 0,
  threadDemand: 1,
  gang: 1,
  width: 1,
  widthReason: 'AS_DEMANDED',
  state: 'RUNNING',
  rank: 0,
  attempt: 1,
  maxAttempts: 1,
  backoff: { baseMs: 1000, maxMs: 60_000 },
  timeoutMs: null,
  attempts: [],
  createdAt: 1000,
  runAt: 1000,
  startedAt: 2000,
  finishedAt: null,
  nodeId: 'node',
  workerName: 'worker-1',
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
})

/** A worker and what runs on it: pairs of width and expected end. */
export const plannedWorker = (
  name: string,
  threads: number,
  ...running: [width: number, expectedEndAt: number | null][]
): PlannedWorker => ({
  name,
  threads,
  running: running.map(([width, expectedEndAt], i) => ({
    jobId: `${name}-${i}`,
    type: 'any',
    width,
    rank: 0,
    startedAt: 0,
    expectedEndAt,
  })),
})
export const planView = (given: Partial<PlanView>): PlanView => ({
  queued: [],
  workers: [],
  clusterMaxThreads: Math.max(0, ...(given.workers ?? []).map(({ threads }) => threads)),
  now: 0,
  ...given,
})
