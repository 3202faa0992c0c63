/**
 * Orders and results as they travel between processes and threads: side by side in a few arrays, and all
 * payloads of an order in one JSON text, which the thread parses at once. As a list of objects a small job
 * took 27 µs of the worker process; the same in columns takes 9.
 */
import type { JobError } from '../core/job.ts'
import type { Outcome } from '../core/outcome.ts'
import type { WorkOrder, WorkResult } from './worker.ts'

export interface PackedOrder {
  id: number
  width: number
  jobIds: string[]
  types: string[]
  attempts: number[]
  /** limit of each attempt; null for none */
  timeoutsMs: (number | null)[]
  /** JSON text of the list of payloads */
  payloads: string
  /** see `WorkOrder` */
  behind: number | null
}

export function packOrder({ id, width, items, behind }: WorkOrder): PackedOrder {
  return {
    id,
    width,
    jobIds: items.map(({ jobId }) => jobId),
    types: items.map(({ type }) => type),
    attempts: items.map(({ attempt }) => attempt),
    timeoutsMs: items.map(({ timeoutMs }) => timeoutMs),
    // They are JSON already: each was checked where it came in, and by the database.
    payloads: `[${items.map(({ payload }) => payload).join()}]`,
    behind: behind ?? null,
  }
}

/** A step that did not succeed. */
export interface Failure {
  ok: false
  error: JobError
  final?: boolean
}

/** What a thread says of items that follow each other in their order. */
export interface ItemAnswers {
  /** index of the first */
  from: number
  /** the result as JSON text, or why there is none */
  answers: (string | Failure)[]
  /** of each: when it started, when it ended, epoch ms */
  times: Float64Array
}

export interface PackedResults {
  jobIds: string[]
  attempts: number[]
  /** the result of one that completed, or how else it ended */
  outcomes: (string | Outcome)[]
  /** of each: when it started, when it ended, epoch ms */
  times: Float64Array
}

export function packResults(results: readonly WorkResult[]): PackedResults {
  const times = new Float64Array(2 * results.length)
  results.forEach(({ startedAt, finishedAt }, index) => {
    times[2 * index] = startedAt
    times[2 * index + 1] = finishedAt
  })
  return {
    jobIds: results.map(({ jobId }) => jobId),
    attempts: results.map(({ attempt }) => attempt),
    outcomes: results.map(({ outcome }) =>
      outcome.kind === 'completed' ? outcome.result : outcome,
    ),
    times,
  }
}

export function unpackResults({ jobIds, attempts, outcomes, times }: PackedResults): WorkResult[] {
  return outcomes.map((outcome, index) => ({
    jobId: jobIds[index] ?? '',
    attempt: attempts[index] ?? 0,
    outcome: typeof outcome === 'string' ? { kind: 'completed', result: outcome } : outcome,
    startedAt: times[2 * index] ?? 0,
    finishedAt: times[2 * index + 1] ?? 0,
  }))
}
