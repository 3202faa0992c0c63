import { asExpected, type Estimator } from './estimate.ts'
import type { QueuedJob } from './job.ts'

/** none: nothing is known of run times; hints: what submitters think; perfect: the real ones. */
export type Predictions = 'none' | 'hints' | 'learnt' | 'perfect'

type Job = QueuedJob & { runMs: number; runMsOn?: (width: number) => number }

interface Run {
  job: Job
  width: number
  startAt: number
  endAt: number
}

/** What a simulated scheduler believes of run times. */
export interface Predictor {
  runMs(job: Job | undefined, width: number): number | null
  /** of a moldable job, on a number of threads that it has perhaps never had */
  runMsOn(job: Job | undefined, width: number): number | null
  endAt(run: Run, now: number): number | null
}

export function createPredictor(kind: Predictions, estimator: Estimator): Predictor {
  switch (kind) {
    case 'none':
      return { runMs: () => null, runMsOn: () => null, endAt: () => null }
    case 'hints':
      return {
        runMs: hint,
        runMsOn: () => null,
        endAt({ job, startAt }) {
          const runMs = hint(job)
          return runMs === null ? null : startAt + runMs
        },
      }
    case 'learnt':
      return {
        runMs: (job, width) => (job ? estimator.runMs(asExpected(job, width)) : null),
        runMsOn: (job, width) => (job ? estimator.runMsOn(asExpected(job, width)) : null),
        endAt: ({ job, width, startAt }, now) =>
          estimator.endAt(asExpected(job, width), startAt, now),
      }
    case 'perfect':
      return { runMs: real, runMsOn: real, endAt: ({ endAt }) => endAt }
  }
}

const real = (job: Job | undefined, width: number): number | null =>
  job ? (job.runMsOn?.(width) ?? job.runMs) : null

const hint = (job: Job | undefined): number | null =>
  job?.expectedMs == null ? null : Math.min(job.expectedMs, job.timeoutMs ?? Infinity)
