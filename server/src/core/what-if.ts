/**
 * What would become of the present queue if the workers, priorities or demands were others: the
 * production scheduler in simulated time, from what is queued and running now. Nothing new arrives, and
 * each job runs as long as is expected of it.
 */
import { gangFor } from './capacity.ts'
import { asExpected, type Estimator } from './estimate.ts'
import { PRIORITY, type QueuedJob } from './job.ts'
import { percentile } from './metrics.ts'
import type { LearntRun } from './predicted-view.ts'
import { simulating, type SimulatedJob, type SimulatedRun } from './simulate.ts'

/** Which jobs a change is about: those of a type, or one. */
type Of = { type: string } | { jobId: string }

export interface Change {
  /** in place of the present ones */
  workers?: readonly { name: string; threads: number }[]
  priorities?: readonly (Of & { priority: number })[]
  demands?: readonly (Of & { threadDemand: number })[]
}

export interface Present {
  queued: readonly QueuedJob[]
  /** with the worker that each runs on */
  running: readonly (LearntRun & { workerName: string })[]
  workers: readonly { name: string; threads: number }[]
  estimator: Estimator
  agingMs: number | null
  now: number
  /** run time of a job of which nothing is known, ms; the planner is not told */
  unknownMs: number
  /** whether jobs of a type can use more than one thread */
  isParallel(type: string): boolean
}

export interface Forecast {
  /** that start */
  jobs: number
  /** queued jobs whose start was not reached */
  left: number
  /** jobs whose run time nobody knows, and was assumed */
  guessed: number
  /** from now on */
  waits: Waits
  byType: (Waits & { type: string; jobs: number })[]
  /** threads in use over threads there are, until the last start */
  utilization: number
  /** until the last has ended */
  makespanMs: number
}

export interface Waits {
  meanMs: number
  p50Ms: number
  p90Ms: number
  maxMs: number
}

/** A simulated plan looks at fewer jobs behind the head than a real one, which costs little precision. */
const LOOK_AHEAD = 64

/** Yields after each simulated decision what would be known by then. */
export function* whatIf(present: Present, change: Change): Generator<() => Forecast, Forecast> {
  const workers = change.workers ?? present.workers
  const jobs = present.queued.map((job) =>
    simulated(changed(job, present, change), present, workers),
  )
  const guessed = jobs.filter(({ known }) => !known).length
  const forecast = (runs: readonly SimulatedRun[]): Forecast =>
    summarizeForecast(runs, { present, workers, guessed })

  const steps = simulating({
    jobs: jobs.map(({ job }) => job),
    running: runningNow(present),
    workers,
    from: present.now,
    // What it would learn on the way are its own expectations.
    estimator: { ...present.estimator, learn: () => {} },
    policy: {
      predictions: 'learnt',
      reservations: true,
      limit: LOOK_AHEAD,
      ...(present.agingMs === null ? {} : { rankStep: present.agingMs }),
    },
  })
  for (;;) {
    const { done, value } = steps.next()
    if (done) return forecast(value)
    yield () => forecast(value)
  }
}

function changed(job: QueuedJob, present: Present, change: Change): QueuedJob {
  const isMeant = (of: Of): boolean => ('jobId' in of ? of.jobId === job.id : of.type === job.type)
  const priority = change.priorities?.findLast(isMeant)?.priority
  const threadDemand = change.demands?.findLast(isMeant)?.threadDemand
  return {
    ...job,
    ...(priority === undefined ? {} : moved(job, priority, present.agingMs)),
    ...(threadDemand === undefined
      ? {}
      : { threadDemand, gang: present.isParallel(job.type) ? threadDemand : 1 }),
  }
}

/** As if it had been submitted with that priority: its place among those of equal priority stays. */
const moved = (job: QueuedJob, priority: number, agingMs: number | null) => ({
  priority,
  rank: job.rank - (priority - (job.priority ?? PRIORITY.default)) * (agingMs ?? 1),
})

function simulated(
  job: QueuedJob,
  { estimator, now, unknownMs }: Present,
  workers: readonly { threads: number }[],
): { job: SimulatedJob; known: boolean } {
  const { width } = gangFor(job, Math.max(0, ...workers.map(({ threads }) => threads)))
  const runMs = estimator.runMs(asExpected(job, width))
  return { known: runMs !== null, job: { ...job, createdAt: now, runMs: runMs ?? unknownMs } }
}

function runningNow({ running, estimator, now, unknownMs }: Present) {
  return running.map((run) => {
    const endAt = estimator.endAt(run, run.startedAt, now) ?? now + unknownMs
    return {
      job: {
        ...run,
        id: run.jobId,
        gang: run.width,
        threadDemand: run.width,
        createdAt: run.startedAt,
        runMs: Math.max(endAt, now) - run.startedAt,
      },
      workerName: run.workerName,
      width: run.width,
      startAt: run.startedAt,
    }
  })
}

function summarizeForecast(
  runs: readonly SimulatedRun[],
  given: { present: Present; workers: readonly { threads: number }[]; guessed: number },
): Forecast {
  const { now, queued, running } = given.present
  const threads = given.workers.reduce((sum, worker) => sum + worker.threads, 0)
  const types = new Map<string, number[]>()
  let until = now
  let end = now
  for (const { job, startAt, endAt } of runs) {
    const waits = types.get(job.type) ?? []
    types.set(job.type, waits)
    waits.push(startAt - now)
    until = Math.max(until, startAt)
    end = Math.max(end, endAt)
  }
  let work = 0
  for (const { width, startAt, endAt } of runs) work += width * (Math.min(endAt, until) - startAt)
  for (const run of runningNow(given.present)) {
    const endAt = run.startAt + run.job.runMs
    work += run.width * (Math.min(endAt, until) - now)
  }
  return {
    jobs: runs.length,
    left: queued.length - runs.length,
    guessed: given.guessed,
    waits: waitsOf([...types.values()].flat()),
    byType: [...types].map(([type, waits]) => ({ type, jobs: waits.length, ...waitsOf(waits) })),
    // With what runs on workers that are to go, it could be more.
    utilization:
      threads > 0 && until > now
        ? Math.min(1, work / (threads * (until - now)))
        : busy(running, threads),
    makespanMs: end - now,
  }
}

const busy = (running: Present['running'], threads: number): number =>
  threads > 0 ? Math.min(1, running.reduce((sum, { width }) => sum + width, 0) / threads) : 0

function waitsOf(waits: readonly number[]): Waits {
  return {
    meanMs: waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length),
    p50Ms: percentile(waits, 0.5) ?? 0,
    p90Ms: percentile(waits, 0.9) ?? 0,
    maxMs: percentile(waits, 1) ?? 0,
  }
}
