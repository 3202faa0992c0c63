import type { JobRowFragment } from '../graphql/generated/graphql.ts'

/** A job as tables get it: queued, unless the change says otherwise. */
export const job = (change: Partial<JobRowFragment> = {}): JobRowFragment => ({
  id: '0197f1c0-0000-7000-8000-000000000001',
  name: 'Monthly ledger',
  type: 'large_array_sum',
  priority: 0,
  threadDemand: 1,
  width: null,
  widthReason: null,
  state: 'QUEUED',
  progress: null,
  attempt: 0,
  maxAttempts: 3,
  workerName: null,
  cancelRequested: false,
  createdAt: '2026-03-01T12:00:00.000Z',
  runAt: '2026-03-01T12:00:00.000Z',
  startedAt: null,
  finishedAt: null,
  queueTimeMs: null,
  executionTimeMs: null,
  totalTimeMs: null,
  ...change,
})

/** As many jobs, with ids '1', '2', and so on. */
export const jobs = (count: number, change: Partial<JobRowFragment> = {}): JobRowFragment[] =>
  Array.from({ length: count }, (_, index) => job({ ...change, id: String(index + 1) }))
