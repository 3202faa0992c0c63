/**
 * Why a queued job is not running, and when it will be: answered by the very code that decides. The
 * reason comes from a plan made over the same view. The expected start comes from simulating that view
 * a number of times, each time with run times drawn from what jobs like those have taken before.
 */
import { gangFor } from './capacity.ts'
import type { Estimator } from './estimate.ts'
import type { QueuedJob } from './job.ts'
import { percentile } from './metrics.ts'
import { plan, type Plan, type WaitReason } from './plan.ts'
import { withPredictions, type LearntView } from './predicted-view.ts'
import type { Reservation } from './reservation.ts'
import { simulate, type SimulatedJob, type SimulateOptions } from './simulate.ts'

export type ExplainReason =
  | WaitReason
  /** the next decision starts it */
  | 'STARTS_NOW'
  /** jobs before it take all the threads that are free, or more jobs than are looked at are before it */
  | 'BEHIND_OTHERS'
  /** no live worker of the cluster could run it */
  | 'NO_WORKER'

export interface Explanation {
  /** 1 for the next in order of rank; null beyond `MAX_POSITION` */
  position: number | null
  reason: ExplainReason
  /** the jobs right before it, the next of them last; a bounded number */
  ahead: string[]
  /** threads it will run on, at once and on one worker */
  width: number
  /** what fits where: this node's workers as they are now */
  workers: { name: string; threads: number; free: number }[]
  /** most threads free on one worker now */
  freeThreads: number
  /** the promise to the head of the queue, which may be this job or another */
  reservation: Reservation | null
  /** epoch ms; null where it cannot run here, or too little is known to say */
  estimatedStart: { p50: number; p90: number } | null
}

export interface ExplainView extends LearntView {
  estimator: Estimator
  /** false leaves out the expected start, which is the expensive part */
  estimate?: boolean
}

const AHEAD_TOLD = 10

/** Jobs farther back are told no place and no time: it would cost much and mean little. */
export const MAX_POSITION = 100
/** Simulations behind an estimate. Enough for a tenth and a half, at a few milliseconds each. */
const DRAWS = 20
/** A simulated plan looks at fewer jobs behind the head than a real one, which costs little precision. */
const LOOK_AHEAD = 32

/** `job` is one of the queue. */
export function explain(view: ExplainView, job: QueuedJob): Explanation {
  const { ahead, position } = aheadOf(view, job)
  const { width } = gangFor(job, view.clusterMaxThreads)
  let waits: WaitReason | null = null
  const planned = plan({
    ...withPredictions(view, view.estimator),
    onWait: (waiting, why) => {
      if (waiting.id === job.id) waits = why
    },
  })
  const starts = planned.starts.some(({ id }) => id === job.id)
  // The planner stops looking where nothing more may start, though threads may be free.
  const held = position !== null && roomLeft(view, planned) >= width
  const here = view.workers.some(({ threads }) => threads >= width)
  const wanted = view.estimate !== false && here && position !== null
  return {
    position,
    reason: starts
      ? 'STARTS_NOW'
      : here
        ? (waits ?? (held ? 'WOULD_DELAY_HEAD' : 'BEHIND_OTHERS'))
        : elsewhere(view),
    ahead: position === null ? [] : ahead.slice(-AHEAD_TOLD).map(({ id }) => id),
    width,
    ...roomOf(view),
    reservation: planned.reservation,
    estimatedStart: wanted ? estimateStart(view, ahead, job) : null,
  }
}

/**
 * The same for a job that is not in the view: only another node can run it, or it stands too far back.
 * `runnable`: whether this node could run a job of its type.
 */
export function explainUnseen(
  view: LearntView,
  job: Pick<QueuedJob, 'gang' | 'threadDemand'>,
  runnable: boolean,
): Explanation {
  const { width } = gangFor(job, view.clusterMaxThreads)
  const here = runnable && view.workers.some(({ threads }) => threads >= width)
  return {
    position: null,
    reason: here ? 'BEHIND_OTHERS' : elsewhere(view),
    ahead: [],
    width,
    ...roomOf(view),
    reservation: here ? (view.previous ?? null) : null,
    estimatedStart: null,
  }
}

/** Most threads free on one worker after the plan. */
function roomLeft(view: LearntView, { starts }: Plan): number {
  const free = new Map(roomOf(view).workers.map((worker) => [worker.name, worker.free]))
  for (const { workerName, width } of starts) {
    free.set(workerName, (free.get(workerName) ?? 0) - width)
  }
  return Math.max(0, ...free.values())
}

const elsewhere = ({ clusterMaxThreads }: LearntView): ExplainReason =>
  clusterMaxThreads > 0 ? 'ANOTHER_NODE' : 'NO_WORKER'

function roomOf(view: LearntView): Pick<Explanation, 'workers' | 'freeThreads'> {
  const workers = view.workers.map(({ name, threads, running }) => ({
    name,
    threads,
    free: threads - running.reduce((sum, { width }) => sum + width, 0),
  }))
  return { workers, freeThreads: Math.max(0, ...workers.map(({ free }) => free)) }
}

function aheadOf(
  view: ExplainView,
  job: QueuedJob,
): { ahead: QueuedJob[]; position: number | null } {
  const ahead: QueuedJob[] = []
  for (const other of view.queued) {
    if (other.id === job.id) return { ahead, position: ahead.length + 1 }
    if (ahead.length >= MAX_POSITION) break
    ahead.push(other)
  }
  return { ahead, position: null }
}

/**
 * A job of which nothing is known is taken to run for ever: a start that waits for it is not known
 * either. Jobs behind this one and yet to come cannot hold it up for long, and are left out.
 */
function estimateStart(
  view: ExplainView,
  ahead: readonly QueuedJob[],
  job: QueuedJob,
): Explanation['estimatedStart'] {
  const random = createRandom()
  const starts: number[] = []
  for (let draw = 0; draw < DRAWS; draw += 1) {
    let startAt = Infinity
    simulate({
      ...drawn(view, [...ahead, job], random),
      until(run) {
        if (run.job.id === job.id) startAt = run.startAt
        return run.job.id === job.id
      },
    })
    starts.push(startAt)
  }
  const p50 = percentile(starts, 0.5) ?? Infinity
  const p90 = percentile(starts, 0.9) ?? Infinity
  return p90 === Infinity ? null : { p50, p90 }
}

function drawn(
  view: ExplainView,
  queued: readonly QueuedJob[],
  random: () => number,
): SimulateOptions {
  const { estimator, now, workers, clusterMaxThreads } = view
  const jobs = queued.map((job): SimulatedJob => {
    const { width } = gangFor(job, clusterMaxThreads)
    return { ...job, createdAt: now, runMs: drawRunMs(estimator, { ...job, width }, 0, random) }
  })
  const running = workers.flatMap((worker) =>
    worker.running.map((run) => ({
      job: {
        ...run,
        id: run.jobId,
        gang: run.width,
        threadDemand: run.width,
        createdAt: run.startedAt,
        runMs: drawRunMs(estimator, run, now - run.startedAt, random),
      },
      workerName: worker.name,
      width: run.width,
      startAt: run.startedAt,
    })),
  )
  return {
    jobs,
    running,
    workers,
    clusterMaxThreads,
    from: now,
    previous: view.previous ?? null,
    // What it would learn on the way are its own inventions.
    estimator: { ...estimator, learn: () => {} },
    policy: {
      predictions: 'learnt',
      reservations: view.reservations ?? true,
      limit: Math.min(view.limit ?? LOOK_AHEAD, LOOK_AHEAD),
      ...(view.rankStep === undefined ? {} : { rankStep: view.rankStep }),
    },
  }
}

/** What is expected of it, times an error such as predictions have had; longer than it runs already. */
function drawRunMs(
  estimator: Estimator,
  job: Parameters<Estimator['runMs']>[0],
  elapsed: number,
  random: () => number,
): number {
  const expectedMs = estimator.runMs(job)
  if (expectedMs === null) return Infinity
  const likely = estimator.errors().filter((error) => expectedMs * error > elapsed)
  const error = likely[Math.floor(random() * likely.length)]
  const runMs =
    error === undefined ? (estimator.endAt(job, 0, elapsed) ?? expectedMs) : expectedMs * error
  return Math.max(elapsed, Math.min(runMs, job.timeoutMs ?? Infinity))
}

/** Repeatable, so that the same question has the same answer (a linear congruential generator). */
function createRandom(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
