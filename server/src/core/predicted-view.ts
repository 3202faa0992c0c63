import { asExpected, type Estimator } from './estimate.ts'
import type { QueuedJob } from './job.ts'
import type { PlannedWorker, PlanView, RunningView } from './plan.ts'

/** A running job with what tells jobs apart for predictions. */
export interface LearntRun
  extends
    Omit<RunningView, 'expectedEndAt'>,
    Pick<QueuedJob, 'sizeClass' | 'expectedMs' | 'timeoutMs'> {
  /** expected run time of what follows it on its threads, ms */
  thenMs?: number
}

export interface LearntView extends Omit<PlanView, 'workers' | 'predict'> {
  workers: readonly { name: string; threads: number; running: readonly LearntRun[] }[]
}

function endOf(run: LearntRun, estimator: Estimator, now: number): number | null {
  const endAt = estimator.endAt(run, run.startedAt, now)
  return endAt === null ? null : endAt + (run.thenMs ?? 0)
}

/** The view to plan on: what is there, with what has been learnt of run times. */
export function withPredictions<View extends LearntView>(
  view: View,
  estimator: Estimator,
): Omit<View, 'workers'> & PlanView & Required<Pick<PlanView, 'predict'>> {
  const workers = view.workers.map(({ name, threads, running }): PlannedWorker => ({
    name,
    threads,
    running: running.map((run) => ({
      ...run,
      expectedEndAt: endOf(run, estimator, view.now),
    })),
  }))
  return {
    ...view,
    workers,
    predict: (job, width) => estimator.runMs(asExpected(job, width)),
    predictOn: (job, width) => estimator.runMsOn(asExpected(job, width)),
  }
}
