/**
 * The production scheduler in simulated time: the same queue, the same plan, the same predictions, with
 * a list of events in place of clock and threads. What it says of a trace, of a what-if or of a job's
 * start is what the product would decide.
 */
import { createEstimator, type Estimator } from './estimate.ts'
import type { QueuedJob } from './job.ts'
import { plan, type Plan, type PlannedWorker, type PlanView, type StartReason } from './plan.ts'
import { createQueue } from './queue.ts'
import type { Reservation } from './reservation.ts'
import { createPredictor, type Predictions, type Predictor } from './simulated-predictor.ts'

/** Enters the queue at `createdAt`. */
export interface SimulatedJob extends QueuedJob {
  /** how long it really runs at the width it gets, ms; Infinity for one that never ends */
  runMs: number
  /** of a moldable job, in place of `runMs` */
  runMsOn?: (width: number) => number
}

export interface Policy {
  predictions: Predictions
  /** false: whatever fits starts, and the head has no promise */
  reservations: boolean
  /** jobs behind the head that may be looked at; 0 for strictly one after the other */
  limit?: number
  /** see `PlanView` */
  rankStep?: number
}

/** A job on its threads, now or in the past. */
export interface SimulatedRun {
  job: SimulatedJob
  workerName: string
  width: number
  /** null for one that ran before the simulation began */
  reason: StartReason | null
  startAt: number
  endAt: number
}

export interface SimulateOptions {
  jobs: readonly SimulatedJob[]
  workers: readonly { name: string; threads: number }[]
  policy: Policy
  /** what runs already; the simulation begins at `from` */
  running?: readonly Omit<SimulatedRun, 'reason' | 'endAt'>[]
  from?: number
  /** threads of the largest worker of the cluster, if that is not among `workers` */
  clusterMaxThreads?: number
  estimator?: Estimator
  /** the promise in force at the beginning */
  previous?: Reservation | null
  /** true ends the simulation at once */
  until?: (run: SimulatedRun) => boolean
  /** wraps each decision, for those who measure */
  decide?: (view: PlanView) => Plan
}

/** Runs until every job that ends has ended. The starts, in order of time. */
export function simulate(options: SimulateOptions): SimulatedRun[] {
  const steps = simulating(options)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** The same decision by decision, for those who have other things to do meanwhile; yields the starts so far. */
export function* simulating(
  options: SimulateOptions,
): Generator<readonly SimulatedRun[], SimulatedRun[]> {
  const { workers, policy, estimator = createEstimator(), decide = plan } = options
  const largest = Math.max(0, ...workers.map(({ threads }) => threads))
  const clusterMaxThreads = Math.max(largest, options.clusterMaxThreads ?? 0)
  const arrivals = [...options.jobs].sort((a, b) => a.createdAt - b.createdAt)
  const jobs = new Map(arrivals.map((job) => [job.id, job]))
  const predictor = createPredictor(policy.predictions, estimator)
  const queue = createQueue()
  const running: SimulatedRun[] = []
  const runs: SimulatedRun[] = []
  let previous = options.previous ?? null
  let arrived = 0

  for (const run of options.running ?? []) {
    insertByEnd(running, { ...run, reason: null, endAt: run.startAt + run.job.runMs })
  }

  /** false when the simulation is to end */
  const start = (now: number, planned: Plan): boolean => {
    for (const { id, workerName, width, reason } of planned.starts) {
      const job = jobs.get(id)
      if (!job) throw new Error(`planned a job that is not simulated: ${id}`)
      queue.remove(id)
      const endAt = now + (job.runMsOn?.(width) ?? job.runMs)
      const run = { job, workerName, width, reason, startAt: now, endAt }
      runs.push(run)
      insertByEnd(running, run)
      if (options.until?.(run)) return false
    }
    return true
  }

  for (let now = options.from ?? -Infinity; ;) {
    const next = Math.min(
      arrivals[arrived]?.createdAt ?? Infinity,
      running.at(-1)?.endAt ?? Infinity,
    )
    if (next === Infinity) return runs
    now = Math.max(now, next)
    for (let job = arrivals[arrived]; job && job.createdAt <= now; job = arrivals[(arrived += 1)]) {
      queue.add(job)
    }
    for (let run = running.at(-1); run && run.endAt <= now; run = running.at(-1)) {
      running.pop()
      estimator.learn({ ...run.job, width: run.width }, run.endAt - run.startAt)
    }
    const planned = decide({
      ...policy,
      queued: queue,
      workers: viewOf(workers, running, predictor, now),
      clusterMaxThreads,
      now,
      predict: (job, width) => predictor.runMs(jobs.get(job.id), width),
      predictOn: (job, width) => predictor.runMsOn(jobs.get(job.id), width),
      previous,
    })
    previous = planned.reservation
    if (!start(now, planned)) return runs
    yield runs
  }
}

/** Keeps the next to end last. O(n), of the jobs that run at once. */
function insertByEnd(running: SimulatedRun[], run: SimulatedRun): void {
  let place = running.length
  while (place > 0 && (running[place - 1]?.endAt ?? Infinity) < run.endAt) place -= 1
  running.splice(place, 0, run)
}

function viewOf(
  workers: SimulateOptions['workers'],
  running: readonly SimulatedRun[],
  predictor: Predictor,
  now: number,
): PlannedWorker[] {
  const views = new Map<string, PlannedWorker>(
    workers.map(({ name, threads }) => [name, { name, threads, running: [] }]),
  )
  for (const run of running) {
    views.get(run.workerName)?.running.push({
      jobId: run.job.id,
      type: run.job.type,
      width: run.width,
      rank: run.job.rank,
      startedAt: run.startAt,
      expectedEndAt: predictor.endAt(run, now),
    })
  }
  return [...views.values()]
}
