/**
 * The loop that starts jobs: look → plan → claim → run.
 *
 * `core/plan.ts` decides on this node's view of the queue and its own free threads, with no side effect.
 * Only then are exactly the planned ids claimed, by a guarded update. Rows that another node took in the
 * meantime are refused and simply leave the plan, so nodes need no agreement beyond the table.
 *
 * One pass runs at a time. Everything that could let a job start (a submission, freed threads, a
 * wake-up) calls `kick`; kicks during a pass cause one more pass.
 */
import type { DecisionLog } from '../core/decision-log.ts'
import { HeddleError, toError } from '../core/errors.ts'
import type { Estimator } from '../core/estimate.ts'
import { flat } from '../core/flat.ts'
import type { Job } from '../core/job.ts'
import { plan, type Reservation } from '../core/plan.ts'
import { withPredictions, type LearntView } from '../core/predicted-view.ts'
import { createQueue, type Queue } from '../core/queue.ts'
import { compareRank } from '../core/rank.ts'
import { MAX_TIMER_MS } from '../core/timer.ts'
import { log } from '../log.ts'
import type { Claimed } from '../store/claim.ts'
import type { FirstClaims } from '../store/insert-claimed.ts'
import type { Store } from '../store/open.ts'
import { peekJobs } from '../store/peek.ts'
import type { Worker } from '../workers/worker.ts'
import { createAhead } from './ahead.ts'
import { fillBatches, type Batch } from './batches.ts'
import { createClaims } from './claims.ts'
import type { Membership } from './membership.ts'
import { viewWorkers } from './node-view.ts'
import { createRecalls } from './recalls.ts'
import { firstOf, type Running } from './running.ts'
import type { ShortClaims } from './short-claims.ts'
import { createWindow } from './window.ts'

/** Rows read at once; the window keeps up to twice as many. Two threads can take a thousand tiny jobs each. */
const WINDOW = 2000
/** Time to let a database that does not answer come back before it is asked again. */
const RETRY_MS = 1000

export interface DispatchOptions {
  store: Store
  membership: Membership
  running: Running
  workers: ReadonlyMap<string, Worker>
  estimator: Estimator
  decisions: DecisionLog
  shortClaims: ShortClaims
  leaseMs: number
  /** see `SchedulerOptions` */
  isolated: boolean
  /** ms of waiting that one step of priority is worth; null for strict priority */
  agingMs: number | null
  /** see `PlanView` */
  reservations: boolean
  /** types this node can run */
  types: string[]
  /** after the commit of a claim, in the turn in which the jobs were handed to their workers */
  onStarted(jobs: Job[]): void
  /** jobs that `stopWhenStarted` was asked about now run, if they were not refused */
  onStopWanted(ids: string[]): void
  /** ended here, but perhaps not yet in the table */
  isSettling(id: string): boolean
  /** false while too many results wait to be stored; `kick` is called when they do no more */
  hasRoomForResults(): boolean
  /** gives back rows that a claim of unknown end may have left under this lease */
  reconcile(): Promise<void>
}

export interface Dispatch {
  /** start what can be started now */
  kick(): void
  /**
   * Jobs that are about to be put in the queue, by `insert`. Where nothing waits before them, those that can
   * start at once are claimed as they are stored: it is then given the claims to make.
   */
  insert<Stored extends { claimed: Claimed[] }>(
    jobs: readonly Job[],
    insert: (first: FirstClaims | null) => Promise<Stored>,
  ): Promise<Stored>
  /** jobs that this node just put in the queue */
  offer(jobs: Job[]): void
  /** jobs whose attempts are over, as the table has them now */
  settled(jobs: Job[]): void
  /** the queue changed behind this node's back */
  lookAgain(): void
  remove(id: string): void
  /** ids of jobs of which it is not known yet whether this node has them */
  claiming(): string[]
  /** remembers the wish for those of them that are being claimed this moment */
  stopWhenStarted(ids: readonly string[]): void
  /** what the next plan would be made on, after a look at the table if this node knows that it needs one */
  view(): Promise<LearntView & { queued: Queue }>
  /** claims no more; resolves when a claim under way has been dealt with */
  stop(): Promise<void>
}

export function createDispatch(options: DispatchOptions): Dispatch {
  const { store, membership, running, workers, estimator } = options
  const window = createWindow(WINDOW)
  const maxThreads = Math.max(0, ...[...workers.values()].map((worker) => worker.threads))
  const allThreads = [...workers.values()].reduce((sum, worker) => sum + worker.threads, 0)
  let reservation: Reservation | null = null
  let pass: Promise<void> | null = null
  let again = false
  let stopped = maxThreads === 0
  let retry: NodeJS.Timeout | undefined
  let soonFree: NodeJS.Timeout | undefined

  const view = (): LearntView & { queued: Queue } => ({
    queued: window.queue,
    workers: viewWorkers(workers.values(), running),
    clusterMaxThreads: membership.clusterMaxThreads(),
    now: store.clock.now(),
    previous: reservation,
    reservations: options.reservations,
    ...(options.agingMs === null ? {} : { rankStep: options.agingMs }),
  })

  const hasFreeThreads = (): boolean => running.busyThreads() < allThreads

  const readWindow = async (): Promise<void> => {
    const { after, limit } = window.startRefill(flat([claims.jobs(), options.shortClaims.jobs()]))
    const rows = await peekJobs(store, {
      after,
      limit,
      maxGang: maxThreads,
      clusterMaxGang: membership.clusterMaxThreads(),
      types: options.types,
    })
    window.refill(rows)
    recallPassed()
  }
  let looking: Promise<void> | null = null
  const look = (): Promise<void> =>
    (looking ??= readWindow().finally(() => {
      looking = null
    }))

  /** So that a thread that gets free finds the next rows here. */
  const readAhead = (): void => {
    if (window.runsLow() && !looking) look().then(kick, failed)
  }

  /** A read that is under way may be of further rows only. */
  const lookWhenBlind = async (): Promise<void> => {
    if (!window.isBlind()) return
    await looking
    if (window.isBlind()) await look()
  }

  const failed = (error: unknown): void => {
    const unavailable = error instanceof HeddleError && error.code === 'STORE_UNAVAILABLE'
    log[unavailable ? 'warn' : 'error'](
      { error: toError(error).message },
      'no job could be started',
    )
    window.markStale()
    clearTimeout(retry)
    retry = setTimeout(kick, RETRY_MS)
    again = false
  }

  const recalls = createRecalls(options)
  /** What comes next on a thread goes back to the queue where a better-ranked job has come since it was claimed. */
  const recallPassed = (): void => {
    const best = window.queue.peek()
    if (!best) return
    for (const { workerName, orders } of running.slots()) {
      const [, next] = orders
      const first = firstOf(next)
      if (!next || !first || compareRank(best, first.job) > 0) continue
      const jobs = next.jobs.filter(({ ended }) => !ended).map(({ job }) => job)
      recalls.add(jobs)
      workers.get(workerName)?.recall(jobs.map(({ id }) => id))
    }
  }

  const claims = createClaims({
    ...options,
    take: (id) => window.take(id),
    onHandedOver: recallPassed,
    onEnd(refused) {
      // A refused row was another node's: there may be more of its work that is not in this view.
      if (refused) window.markStale()
      kick()
    },
    onError: failed,
  })

  const ahead = createAhead({
    ...{ window, running },
    clock: store.clock,
    clusterThreads: () =>
      membership
        .others()
        .flatMap((node) => node.workers)
        .reduce((sum, worker) => sum + worker.threads, allThreads),
  })
  /** Looks again when the next thread is soon to be free. */
  const awaitNext = (): void => {
    clearTimeout(soonFree)
    const ms = ahead.dueInMs()
    if (ms > 0 && ms < MAX_TIMER_MS) soonFree = setTimeout(kick, Math.ceil(ms))
  }
  const canStart = (): boolean =>
    !stopped &&
    membership.holdsLease() &&
    options.hasRoomForResults() &&
    claims.hasRoom() &&
    (hasFreeThreads() || ahead.due().length > 0)

  const runPass = async (): Promise<void> => {
    while (again && canStart()) {
      again = false
      await claims.clearDoubts()
      await lookWhenBlind()
      readAhead()
      const seen = withPredictions(
        { ...view(), queued: recalls.startable(window.queue) },
        estimator,
      )
      const planned = plan(seen)
      reservation = planned.reservation
      options.decisions.reserved(reservation, seen.now)
      const batches = fillBatches({
        ...seen,
        starts: planned.starts,
        busy: ahead.due(),
        nextLimit: ahead.limit(),
      })
      if (batches.length === 0) continue
      claims.start(batches)
      readAhead()
      again = true
    }
    if (!stopped) awaitNext()
  }

  const kick = (): void => {
    again = true
    if (pass || stopped) return
    clearTimeout(retry)
    pass = runPass()
      .catch(failed)
      .then(() => {
        pass = null
        if (again && canStart()) kick()
      })
  }

  /** What could start at once of jobs that nobody knows yet. */
  const planNew = (jobs: readonly Job[]): Batch[] => {
    if (!canStart() || !hasFreeThreads() || !window.isEmpty() || recalls.best()) return []
    const queued = createQueue(jobs.filter(({ state }) => state === 'QUEUED'))
    const seen = withPredictions({ ...view(), queued }, estimator)
    return fillBatches({ ...seen, starts: plan(seen).starts })
  }

  return {
    kick,
    insert(jobs, insert) {
      const batches = planNew(jobs)
      return batches.length === 0 ? insert(null) : claims.startNew(batches, jobs, insert)
    },
    offer(jobs) {
      window.offer(jobs.filter(({ type }) => options.types.includes(type)))
      recallPassed()
    },
    settled(jobs) {
      if (jobs.filter(({ id }) => recalls.settled(id)).length > 0) kick()
    },
    lookAgain() {
      window.markStale()
      if (hasFreeThreads()) kick()
    },
    remove: (id) => void window.take(id),
    claiming: () => claims.jobs().map(({ id }) => id),
    stopWhenStarted: (ids) => claims.stopWhenStarted(ids),
    async view() {
      if (maxThreads > 0) await lookWhenBlind()
      return view()
    },
    async stop() {
      stopped = true
      clearTimeout(retry)
      clearTimeout(soonFree)
      await pass
      await claims.idle()
    },
  }
}
