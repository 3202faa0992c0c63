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
import type { Job, QueuedJob } from '../core/job.ts'
import { plan, type Reservation, type Start } from '../core/plan.ts'
import { withPredictions, type LearntView } from '../core/predicted-view.ts'
import type { Queue } from '../core/queue.ts'
import { log } from '../log.ts'
import { claimJobs } from '../store/claim.ts'
import type { Store } from '../store/open.ts'
import { peekQueued } from '../store/peek.ts'
import type { Worker, WorkItem, WorkOrder } from '../workers/worker.ts'
import { fillBatches, type Batch } from './batches.ts'
import type { Membership } from './membership.ts'
import { viewWorkers } from './node-view.ts'
import type { Running } from './running.ts'
import { createWindow } from './window.ts'

/** Rows read at once; the window keeps up to twice as many. Large enough that a claim never waits for a second read. */
const WINDOW = 1000
/** Time to let a database that does not answer come back before it is asked again. */
const RETRY_MS = 1000

export interface DispatchOptions {
  store: Store
  membership: Membership
  running: Running
  workers: ReadonlyMap<string, Worker>
  estimator: Estimator
  decisions: DecisionLog
  /** ms of waiting that one step of priority is worth; null for strict priority */
  agingMs: number | null
  /** types this node can run */
  types: string[]
  /** after the commit of a claim, before the jobs are handed to their workers */
  onStarted(jobs: Job[]): void
  /** a job that `stopWhenStarted` was asked about now runs */
  onStopWanted(id: string): void
  /** gives back rows that a claim of unknown end may have left under this lease */
  reconcile(): Promise<void>
}

export interface Dispatch {
  /** start what can be started now */
  kick(): void
  /** jobs that this node just put in the queue */
  offer(jobs: QueuedJob[]): void
  /** the queue changed behind this node's back */
  lookAgain(): void
  remove(id: string): void
  /** remembers the wish if the job is being claimed this moment */
  stopWhenStarted(id: string): void
  /** what the next plan would be made on, after a look at the table if this node knows that it needs one */
  view(): Promise<LearntView & { queued: Queue }>
  /** claims no more; resolves when a claim under way has been dealt with */
  stop(): Promise<void>
}

interface Claimed {
  job: Job
  payload: string
}

const toItem = ({ job, payload }: Claimed): WorkItem => ({
  jobId: job.id,
  type: job.type,
  attempt: job.attempt,
  payload,
  timeoutMs: job.timeoutMs,
})

const startsOf = ({ start, followers }: Batch): Start[] => [start, ...followers]

export function createDispatch(options: DispatchOptions): Dispatch {
  const { store, membership, running, workers, estimator } = options
  const window = createWindow(WINDOW)
  const maxThreads = Math.max(0, ...[...workers.values()].map((worker) => worker.threads))
  const allThreads = [...workers.values()].reduce((sum, worker) => sum + worker.threads, 0)
  /** planned and being claimed: their threads are taken already */
  const starting = new Set<string>()
  const stopWanted = new Set<string>()
  let reservation: Reservation | null = null
  let claimsInDoubt = false
  let pass: Promise<void> | null = null
  let again = false
  let stopped = maxThreads === 0
  let retry: NodeJS.Timeout | undefined

  const view = (): LearntView & { queued: Queue } => ({
    queued: window.queue,
    workers: viewWorkers(workers.values(), running),
    clusterMaxThreads: membership.clusterMaxThreads(),
    now: store.clock.now(),
    previous: reservation,
    ...(options.agingMs === null ? {} : { rankStep: options.agingMs }),
  })

  const hasFreeThreads = (): boolean => running.busyThreads() < allThreads

  const readWindow = async (): Promise<void> => {
    window.startRefill()
    const rows = await peekQueued(store, {
      limit: WINDOW,
      maxGang: maxThreads,
      clusterMaxGang: membership.clusterMaxThreads(),
      types: options.types,
    })
    window.refill(rows, WINDOW)
  }
  let looking: Promise<void> | null = null
  const look = (): Promise<void> =>
    (looking ??= readWindow().finally(() => {
      looking = null
    }))

  /** Resolves with true when everything asked for was given. */
  const claim = async (batches: Batch[]): Promise<boolean> => {
    const leaseId = membership.leaseId()
    const starts = batches.flatMap(startsOf)
    for (const { id } of starts) {
      window.remove(id)
      starting.add(id)
    }
    try {
      const claimed = await claimJobs(store, leaseId, starts)
      options.onStarted(claimed.map(({ job }) => job))
      const given = new Set(claimed.map(({ job }) => job.id))
      options.decisions.started(
        starts.filter(({ id }) => given.has(id)),
        store.clock.now(),
      )
      run(batches, new Map(claimed.map((each) => [each.job.id, each])), leaseId)
      return claimed.length === starts.length
    } catch (error) {
      claimsInDoubt = true
      throw error
    } finally {
      for (const { id } of starts) {
        starting.delete(id)
        if (stopWanted.delete(id)) options.onStopWanted(id)
      }
    }
  }

  const run = (batches: Batch[], claimed: Map<string, Claimed>, leaseId: string): void => {
    const perWorker = new Map<string, WorkOrder[]>()
    for (const batch of batches) {
      const { workerName, width } = batch.start
      const given = startsOf(batch).flatMap(({ id }) => claimed.get(id) ?? [])
      if (given.length === 0) continue
      running.add({ workerName, width, leaseId, jobs: given.map(({ job }) => job) })
      const orders = perWorker.get(workerName) ?? []
      perWorker.set(workerName, orders)
      orders.push({ width, items: given.map(toItem) })
    }
    for (const [name, orders] of perWorker) workers.get(name)?.run(orders)
  }

  const canStart = (): boolean => !stopped && membership.holdsLease() && hasFreeThreads()

  const runPass = async (): Promise<void> => {
    while (again && canStart()) {
      again = false
      if (claimsInDoubt) {
        await options.reconcile()
        claimsInDoubt = false
      }
      if (window.needsRefill()) await look()
      const seen = withPredictions(view(), estimator)
      const planned = plan(seen)
      reservation = planned.reservation
      options.decisions.reserved(reservation, seen.now)
      const { starts } = planned
      if (starts.length > 0) {
        const batches = fillBatches({ ...seen, starts })
        // A refused row was another node's: there may be more of its work that is not in this view.
        if (!(await claim(batches))) window.markStale()
        again = true
      }
    }
  }

  const kick = (): void => {
    again = true
    if (pass || stopped) return
    clearTimeout(retry)
    pass = runPass()
      .catch((error: unknown) => {
        const unavailable = error instanceof HeddleError && error.code === 'STORE_UNAVAILABLE'
        log[unavailable ? 'warn' : 'error'](
          { error: toError(error).message },
          'no job could be started',
        )
        window.markStale()
        retry = setTimeout(kick, RETRY_MS)
        again = false
      })
      .then(() => {
        pass = null
        if (again && canStart()) kick()
      })
  }

  return {
    kick,
    offer: (jobs) => window.offer(jobs.filter(({ type }) => options.types.includes(type))),
    lookAgain() {
      window.markStale()
      if (hasFreeThreads()) kick()
    },
    remove: (id) => window.remove(id),
    stopWhenStarted(id) {
      if (starting.has(id)) stopWanted.add(id)
    },
    async view() {
      if (maxThreads > 0 && window.needsRefill()) await look()
      return view()
    },
    async stop() {
      stopped = true
      clearTimeout(retry)
      await pass
    },
  }
}
