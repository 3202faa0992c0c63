/**
 * What this node can say of its own decisions: why a job waits and when it will start, what was decided,
 * and how right it was when it said so before. It asks the very view that the next plan is made on.
 *
 * An answer takes some ms of computing. One is computed at a time, with a turn of the event loop for
 * everything else in between, and when too many are asked for, they come without the expected start.
 */
import type { Bus } from '../bus/bus.ts'
import { createCalibration, type CalibrationFigures, type Told } from '../core/calibration.ts'
import type { Decision, DecisionCounts, DecisionLog } from '../core/decision-log.ts'
import type { Estimator } from '../core/estimate.ts'
import { explain, explainUnseen, type Explanation } from '../core/explain.ts'
import { explainText } from '../core/explain-text.ts'
import type { Job } from '../core/job.ts'
import type { Dispatch } from './dispatch.ts'

/** Answers that wait to be computed; one more is given at once, without an expected start. */
const MAX_WAITING = 100
/** Estimates remembered until their jobs start, or should have started this long ago. */
const TOLD = 5000
const OVERDUE_MS = 10 * 60_000

export interface Schedule extends Explanation {
  /** the same in plain sentences */
  reasons: string[]
}

export interface Insight {
  /** Why a job waits, and when it is expected to start; null for one that is not queued. STORE_UNAVAILABLE */
  schedule(job: Job): Promise<Schedule | null>
  /** newest first */
  decisions(options: { jobId?: string; limit: number }): Decision[]
  decisionCounts(): DecisionCounts
  /** how right the expected starts were that were told */
  calibration(): CalibrationFigures
}

export interface InsightOptions {
  bus: Pick<Bus, 'subscribe'>
  dispatch: Pick<Dispatch, 'view'>
  estimator: Estimator
  decisions: DecisionLog
  /** whether this node runs jobs of a type */
  runs(type: string): boolean
}

export function createInsight({
  bus,
  dispatch,
  estimator,
  decisions,
  runs,
}: InsightOptions): Insight {
  const calibration = createCalibration()
  const told = new Map<string, { estimate: Told; overdueAt: number }>()
  let unsubscribe: (() => void) | null = null
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()

  const remember = (id: string, estimate: Told, waitMs: number): void => {
    // What is said first is what people plan by.
    if (told.has(id)) return
    told.set(id, { estimate, overdueAt: performance.now() + waitMs + OVERDUE_MS })
    const [oldest] = told.keys()
    if (told.size > TOLD && oldest !== undefined) told.delete(oldest)
    unsubscribe ??= bus.subscribe('jobs', hear)
  }
  /** Only while there is something to compare: other nodes need not tell of jobs that nobody listens to. */
  const hear = (jobs: readonly Job[]): void => {
    for (const { id, state, startedAt } of jobs) {
      const known = told.get(id)
      if (!known || state === 'QUEUED') continue
      if (state === 'RUNNING' && startedAt !== null) calibration.record(known.estimate, startedAt)
      told.delete(id)
    }
    for (const [id, { overdueAt }] of told) {
      if (overdueAt > performance.now()) break
      told.delete(id)
    }
    if (told.size > 0) return
    unsubscribe?.()
    unsubscribe = null
  }

  const compute = async (job: Job, estimate: boolean): Promise<Explanation> => {
    const view = await dispatch.view()
    const queued = view.queued.get(job.id)
    if (!queued) return explainUnseen(view, job, runs(job.type))
    const why = explain({ ...view, estimator, estimate }, queued)
    // Jobs that start at once would flatter the figure.
    if (!why.estimatedStart || why.reason === 'STARTS_NOW') return why
    const estimatedStart = calibration.correct(why.estimatedStart, view.now)
    remember(job.id, estimatedStart, estimatedStart.p90 - view.now)
    return { ...why, estimatedStart: { p50: estimatedStart.p50, p90: estimatedStart.p90 } }
  }

  const inTurn = (job: Job): Promise<Explanation> => {
    const answer = last
      .then(() => new Promise((resolve) => setImmediate(resolve)))
      .then(() => compute(job, true))
    last = answer.catch(() => {})
    return answer
  }

  const answer = async (job: Job): Promise<Explanation> => {
    if (waiting >= MAX_WAITING) return compute(job, false)
    waiting += 1
    try {
      return await inTurn(job)
    } finally {
      waiting -= 1
    }
  }

  return {
    async schedule(job) {
      if (job.state !== 'QUEUED') return null
      const why = await answer(job)
      return { ...why, reasons: explainText(why, job.id) }
    },
    decisions: (options) => decisions.latest(options),
    decisionCounts: () => decisions.counts(),
    calibration: () => calibration.figures(),
  }
}
