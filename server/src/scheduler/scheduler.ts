/**
 * Owns what this node knows: its window of the queue, its running jobs, its lease. Everything else
 * reaches that state through here.
 *
 *   submit ─► insert (commit) ─► window ─► plan ─► claim (commit) ─► worker ─► settle (commit) ─► bus
 *
 * Invariants: a job is answered for after its commit and announced after its commit; a job in `running`
 * is leased by this node and holds threads of one worker; a result leaves `running` for the settler in
 * the same turn in which it arrives.
 */
import type { Bus } from '../bus/bus.ts'
import { createDecisionLog } from '../core/decision-log.ts'
import { HeddleError } from '../core/errors.ts'
import { createEstimator } from '../core/estimate.ts'
import { isFinal, type Job, type WorkerView } from '../core/job.ts'
import type { QueueOrder } from '../core/rank.ts'
import type { Registry } from '../job-types/registry.ts'
import { log } from '../log.ts'
import type { JobCache } from '../store/cache/cache.ts'
import { dropTurns } from '../store/fair-share.ts'
import { listenWake } from '../store/listen.ts'
import type { Store } from '../store/open.ts'
import { registerTypes } from '../store/register-types.ts'
import type { Worker, WorkerEvents, WorkResult } from '../workers/worker.ts'
import { createAnnounce } from './announce.ts'
import { cancelJobs } from './cancel.ts'
import { createCluster } from './cluster.ts'
import { createDelayed } from './delayed.ts'
import { createDispatch, type Dispatch } from './dispatch.ts'
import { createDrain } from './drain.ts'
import { createFairShares, type FairShares } from './fair-shares.ts'
import { createFinish } from './finish.ts'
import { createInsight, type Insight } from './insight.ts'
import { createLoop } from './loop.ts'
import { createMaintenance } from './maintenance.ts'
import { createMembership } from './membership.ts'
import { createProgress } from './progress.ts'
import { createReconcile } from './reconcile.ts'
import { retryJob } from './retry.ts'
import { createRunning } from './running.ts'
import { createSettler } from './settle.ts'
import { createStopJobs } from './stop-jobs.ts'
import { createSubmit, type Submit } from './submit.ts'
import { createTurns } from './turns.ts'
import { createWhatIf, type WhatIf } from './what-if.ts'

/** How long an idle node trusts that a wake-up would have reached it. */
const LOOK_AGAIN_MS = 20_000

export interface SchedulerOptions extends QueueOrder {
  store: Store
  bus: Bus
  cache: JobCache
  registry: Registry
  nodeName: string
  roles: string[]
  queueLimit: number
  leaseMs: number
  /** no job can end this process: one that did it again and again has to be counted before it starts */
  isolated: boolean
  shutdownMs: number
  historyDays: number
  /** see `PlanView` */
  reservations: boolean
  /** starts this node's workers; they report to `events` */
  startWorkers(events: WorkerEvents): Promise<Worker[]>
}

export interface Scheduler {
  /** INVALID_JOB, UNKNOWN_JOB_TYPE, INVALID_PAYLOAD, QUEUE_FULL, STORE_UNAVAILABLE, SHUTTING_DOWN; all jobs or none */
  submit: Submit
  /** Running jobs are told to stop and end shortly after. JOB_NOT_FOUND, JOB_FINISHED, STORE_UNAVAILABLE */
  cancel(ids: string[]): Promise<Job[]>
  /** Puts an ended job back in the queue. JOB_NOT_FOUND, JOB_NOT_FINISHED, STORE_UNAVAILABLE */
  retry(id: string): Promise<Job>
  fairShares: FairShares
  /** workers of the whole cluster */
  workers(): WorkerView[]
  stats(): SchedulerStats
  /** what this node decides, and why */
  insight: Insight
  whatIf: WhatIf
  /** true until `stop` is called */
  accepting(): boolean
  start(): Promise<void>
  /** Lets running jobs finish until the deadline, hands the others back to the queue. `hurry` ends the wait. */
  stop(): Promise<void>
  hurry(): void
}

export interface SchedulerStats {
  running: number
  threads: number
  busyThreads: number
  submitted: number
  ended: Record<'COMPLETED' | 'FAILED' | 'CANCELLED', number>
}

const idsOf = (jobs: Job[]): string[] => jobs.map(({ id }) => id)

// eslint-disable-next-line heddle/function-lines -- every part refers to others: this is where they meet, and it holds no logic of its own
export async function createScheduler(options: SchedulerOptions): Promise<Scheduler> {
  const { store, bus, registry } = options
  const running = createRunning()
  const estimator = createEstimator()
  const decisions = createDecisionLog()
  const announce = createAnnounce(bus, options.cache)
  const ended = { COMPLETED: 0, FAILED: 0, CANCELLED: 0 }
  let submitted = 0
  let accepting = true

  /** jobs that this node put in the table, or moved there */
  const onQueued = (jobs: Job[]): void => {
    const ready = jobs.filter((job) => job.state === 'QUEUED')
    for (const job of jobs) if (job.state === 'SCHEDULED') delayed.expect(job.runAt)
    if (ready.length === 0) return
    turns.kick()
    dispatch.offer(ready)
    dispatch.kick()
    bus.publish('wake', { nodeId: membership.leaseId() })
  }
  const onChanged = (jobs: Job[]): void => {
    announce.changed(jobs)
    onQueued(jobs)
  }

  const settler = createSettler({
    store,
    onSettled(jobs) {
      for (const { state } of jobs) if (isFinal(state)) ended[state] += 1
      turns.kick()
      dispatch.settled(jobs)
      onChanged(jobs)
    },
    onRoom: () => dispatch.kick(),
    onLost: (ids) => void stopJobs(ids, 'lease'),
  })

  const finish = createFinish({ store, running, estimator, settler })
  const onFinished = (results: WorkResult[]): void => {
    finish(results)
    cluster.changed()
    dispatch.kick()
  }

  const stopJobs = createStopJobs({
    running,
    workers: () => workers,
    stopWhenStarted: (ids) => dispatch.stopWhenStarted(ids),
  })
  const progress = createProgress(running, announce.changed)
  const started = await options.startWorkers({
    finished: onFinished,
    progress: (updates) => progress.update(updates),
    trouble: (message) => log.warn(message),
  })
  const workers: ReadonlyMap<string, Worker> = new Map(
    started.map((worker) => [worker.name, worker]),
  )

  const cluster = createCluster({
    bus,
    nodeName: options.nodeName,
    workers: started,
    membership: () => membership,
  })
  const membership = createMembership({
    store,
    nodeName: options.nodeName,
    roles: options.roles,
    leaseMs: options.leaseMs,
    maxThreads: Math.max(0, ...started.map((worker) => worker.threads)),
    workers: () => cluster.own(),
    onRenewed(ms) {
      for (const worker of started) worker.extendLease(ms)
      // Nothing is started without a lease, and it may have been away.
      dispatch.kick()
    },
    onLeaseLost: () => void stopJobs([...running.byId().keys()], 'lease'),
    onCancelling: (ids) => void stopJobs(ids, 'cancel'),
    onRescued: onChanged,
    onChange: () => dispatch.lookAgain(),
  })
  const dispatch: Dispatch = createDispatch({
    store,
    membership,
    running,
    workers,
    estimator,
    decisions,
    shortClaims: settler.shortClaims,
    leaseMs: options.leaseMs,
    isolated: options.isolated,
    agingMs: options.agingMs,
    reservations: options.reservations,
    types: registry.types.map(({ type }) => type),
    onStarted(jobs) {
      announce.changed(jobs)
      turns.kick()
      cluster.changed()
    },
    onStopWanted: (ids) => void stopJobs(ids, 'cancel'),
    isSettling: (id) => settler.isPending(id),
    hasRoomForResults: () => settler.hasRoom(),
    reconcile: () => reconcile.now(),
  })
  const reconcile = createReconcile({ store, membership, running, settler, dispatch })
  const turns = createTurns(store, options, () => {
    dispatch.lookAgain()
    bus.publish('wake', { nodeId: membership.leaseId() })
  })
  const insight = createInsight({
    bus,
    dispatch,
    estimator,
    decisions,
    runs: (type) => workers.size > 0 && registry.types.some((known) => known.type === type),
  })
  const delayed = createDelayed(store, onChanged)
  const submit = createSubmit({
    store,
    registry,
    queueLimit: options.queueLimit,
    order: options,
    estimator,
    dispatch,
    onAccepted(jobs, claimed) {
      submitted += jobs.length
      announce.accepted(jobs)
      onQueued(claimed.size === 0 ? jobs : jobs.filter(({ id }) => !claimed.has(id)))
    },
  })
  const loops = [
    createLoop('look again', LOOK_AGAIN_MS, () => Promise.resolve(dispatch.lookAgain())),
    reconcile.loop,
    ...createMaintenance(store, options),
  ]
  const unsubscribe: (() => unknown)[] = [
    bus.subscribe('wake', ({ nodeId }) => {
      if (nodeId !== membership.leaseId()) dispatch.lookAgain()
    }),
    bus.subscribe('cancel', ({ ids }) => void stopJobs(ids, 'cancel')),
  ]

  const drain = createDrain(running)
  let stopping: Promise<void> | null = null
  const stop = async (): Promise<void> => {
    accepting = false
    await Promise.all([...loops, delayed, turns, dispatch].map((part) => part.stop()))
    await drain.wait(options.shutdownMs)
    for (const entry of running.all()) entry.stopReason ??= 'shutdown'
    await Promise.all(started.map((worker) => worker.close()))
    // What waits for an unreachable database now would wait for ever.
    const giveUp = setTimeout(() => settler.abandon(), options.leaseMs)
    await settler.idle()
    clearTimeout(giveUp)
    progress.stop()
    cluster.stop()
    await Promise.all(unsubscribe.map((off) => off()))
    await membership
      .stop()
      .catch((error: unknown) => log.warn({ error }, 'this node could not sign off'))
  }

  return {
    async submit(requests) {
      if (!accepting) {
        throw new HeddleError('SHUTTING_DOWN', 'This node is shutting down', { retryAfterMs: 1000 })
      }
      return submit(requests)
    },
    cancel: (ids) =>
      cancelJobs(ids, {
        store,
        bus,
        onCancelled(jobs) {
          for (const { id } of jobs) dispatch.remove(id)
          announce.changed(jobs)
        },
        onStopping(jobs) {
          announce.changed(jobs)
          return stopJobs(idsOf(jobs), 'cancel')
        },
      }),
    async retry(id) {
      const job = await retryJob(store, id, options)
      onChanged([job])
      return job
    },
    fairShares: createFairShares(store),
    workers: () => cluster.all(),
    insight,
    whatIf: createWhatIf({
      store,
      estimator,
      agingMs: options.agingMs,
      workers: () => cluster.all(),
      isParallel: (type) => registry.types.some((known) => known.type === type && known.parallel),
    }),
    stats: () => ({
      running: running.size,
      threads: started.reduce((sum, worker) => sum + worker.threads, 0),
      busyThreads: running.busyThreads(),
      submitted,
      ended: { ...ended },
    }),
    accepting: () => accepting,
    async start() {
      await registerTypes(store, registry.types, options)
      // Jobs that a client of the database enqueued in its own transaction come with no message on the bus.
      const onWake = (): void => {
        delayed.lookAgain()
        turns.kick()
        dispatch.lookAgain()
      }
      unsubscribe.push(await listenWake(store, onWake))
      await membership.start()
      delayed.start()
      if (!options.fairShare) await dropTurns(store, options.agingMs)
      turns.start()
      turns.kick()
      for (const loop of loops) loop.start()
      cluster.changed()
      dispatch.lookAgain()
    },
    stop: () => (stopping ??= stop()),
    hurry: () => drain.hurry(),
  }
}
