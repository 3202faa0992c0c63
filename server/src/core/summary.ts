import type { SimulatedRun } from './simulate.ts'

/** Figures of a simulation, by the usual definitions of the literature on parallel job scheduling. */
export interface Summary {
  jobs: number
  meanWaitMs: number
  maxWaitMs: number
  /** mean of (wait + run time) / run time, never below 1, run times below `BOUND_MS` counted as that */
  meanBoundedSlowdown: number
  /** threads in use over threads there were, from the first submission to the last end */
  utilization: number
}

/** A short job that waits a little should not count as slowed down a thousandfold. */
export const BOUND_MS = 10_000

/** All zero for no runs. */
export function summarize(runs: readonly SimulatedRun[], threads: number): Summary {
  let wait = 0
  let maxWaitMs = 0
  let slowdown = 0
  let work = 0
  let from = Infinity
  let to = -Infinity
  for (const { job, width, startAt, endAt } of runs) {
    const waited = startAt - job.createdAt
    wait += waited
    maxWaitMs = Math.max(maxWaitMs, waited)
    slowdown += Math.max(1, (endAt - job.createdAt) / Math.max(BOUND_MS, endAt - startAt))
    work += width * (endAt - startAt)
    from = Math.min(from, job.createdAt)
    to = Math.max(to, endAt)
  }
  const count = Math.max(1, runs.length)
  return {
    jobs: runs.length,
    meanWaitMs: wait / count,
    maxWaitMs,
    meanBoundedSlowdown: slowdown / count,
    utilization: to > from ? work / (threads * (to - from)) : 0,
  }
}
