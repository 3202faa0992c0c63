/**
 * This node's place in the cluster. One row in `node`, kept fresh by a heartbeat, holds the leases of
 * all its jobs; a row that is not fresh is dead to everyone, and its jobs are run again.
 *
 * The rule that keeps two attempts of a job apart: when `core/lease.ts` says that the last heartbeat
 * known to have arrived is too old, this node stops its own jobs, some time before the moment at which
 * others may rescue them. Only a node that has itself been in touch with the database for a whole lease
 * time rescues, so that after an outage of the database everyone can first renew.
 */
import { randomUUID } from 'node:crypto'
import { isSilent, leaseState, leaseTiming, mayRescue } from '../core/lease.ts'
import type { Job, WorkerView } from '../core/job.ts'
import { log } from '../log.ts'
import { heartbeat, lookAround, registerNode, removeNode } from '../store/nodes.ts'
import type { Store } from '../store/open.ts'
import { rescueLost } from '../store/rescue.ts'
import { createLoop } from './loop.ts'

/** After the end of a lease by the database's clock, so that the look surely comes later. */
const LAPSED_MS = 20

export interface MembershipOptions {
  store: Store
  nodeName: string
  roles: string[]
  leaseMs: number
  maxThreads: number
  /** this node's workers as they are now */
  workers(): WorkerView[]
  /** the lease was renewed: jobs may run for `ms` more */
  onRenewed(ms: number): void
  /** the lease is about to lapse, or is gone: stop every job of this node */
  onLeaseLost(): void
  /** ids of this node's running jobs that somebody wants stopped */
  onCancelling(ids: string[]): void
  /** jobs of dead nodes, moved on */
  onRescued(jobs: Job[]): void
  /** nodes came or went */
  onChange(): void
}

export interface NodeView {
  id: string
  maxThreads: number
  workers: WorkerView[]
}

export interface Membership {
  /** id of this incarnation: the lease that new claims are made under */
  leaseId(): string
  /** true while claims may be made */
  holdsLease(): boolean
  /** threads of the largest worker of any live node */
  clusterMaxThreads(): number
  others(): NodeView[]
  /** a node was heard of that is not among the others yet */
  lookAround(): void
  start(): Promise<void>
  stop(): Promise<void>
}

export function createMembership(options: MembershipOptions): Membership {
  const { store, leaseMs, onLeaseLost } = options
  const timing = leaseTiming(leaseMs)
  /** an embedded database belongs to one process, so nobody else can run its jobs */
  const alone = store.kind === 'embedded'
  let leaseId = randomUUID() as string
  let lastRenewedAt = -Infinity
  let inTouchSince = Infinity
  let others: NodeView[] = []

  const register = async (): Promise<void> => {
    const sentAt = performance.now()
    await registerNode(store, {
      id: leaseId,
      name: options.nodeName,
      roles: options.roles,
      workers: options.workers(),
      maxThreads: options.maxThreads,
    })
    renewed(sentAt)
  }

  const renewed = (sentAt: number): void => {
    if (sentAt - lastRenewedAt > leaseMs) inTouchSince = sentAt
    lastRenewedAt = sentAt
    // Worker processes end themselves if nobody does it more gently: a frozen server process cannot.
    const hardStopMs = timing.stopAfterMs + timing.stopWithinMs / 2
    if (alone) return
    options.onRenewed(hardStopMs - (performance.now() - sentAt))
    watchLease()
  }

  let watch: NodeJS.Timeout | undefined
  /** Sleeps until the lease is over, so that a node with nothing to do is not woken to find that it is not. */
  const watchLease = (): void => {
    clearTimeout(watch)
    const leftMs = timing.stopAfterMs - (performance.now() - lastRenewedAt)
    if (leftMs > 0) {
      watch = setTimeout(watchLease, Math.ceil(leftMs))
      return
    }
    log.error(
      { lease: leaseId },
      'the database cannot be reached: stopping jobs before others may run them',
    )
    onLeaseLost()
  }

  /** Takes a new name for what it starts from here on: whatever ran under the old one is not its own any more. */
  const reincarnate = async (): Promise<void> => {
    log.warn(
      { lease: leaseId },
      'this node was declared dead while it lived; it goes on as a new one',
    )
    onLeaseLost()
    leaseId = randomUUID()
    await register()
  }

  const beat = createLoop('heartbeat', timing.heartbeatMs, async () => {
    const sentAt = performance.now()
    const { alive, cancelling } = await heartbeat(store, {
      id: leaseId,
      workers: options.workers(),
    })
    if (!alive) return reincarnate()
    renewed(sentAt)
    if (cancelling.length > 0) options.onCancelling(cancelling)
  })

  let lapse: NodeJS.Timeout | undefined
  /** Resolves with whether somebody's jobs are to be rescued. */
  const look = async (): Promise<boolean> => {
    const { nodes, silentMs, anyLost } = await lookAround(store, leaseMs)
    clearTimeout(lapse)
    // One that has missed heartbeats may be dead: look again at the very moment at which its lease is over.
    if (isSilent(timing, silentMs)) {
      lapse = setTimeout(() => rescue.nudge(), leaseMs - silentMs + LAPSED_MS)
    }
    const known = new Set(others.map((node) => node.id))
    const live = nodes.filter((node) => node.id !== leaseId)
    const changed = live.length !== known.size || live.some((node) => !known.has(node.id))
    others = live
    if (changed) options.onChange()
    return anyLost
  }

  const rescue = createLoop('rescue', timing.rescueMs, async () => {
    const anyLost = await look()
    if (anyLost && mayRescue(timing, performance.now() - inTouchSince)) await rescueFrom(leaseMs)
  })

  const rescueFrom = async (age: number): Promise<void> => {
    const { requeued, failed, cancelled } = await rescueLost(store, {
      leaseMs: age,
      error: {
        name: 'NodeLost',
        message: 'The node that ran this job stopped answering',
        code: 'NODE_LOST',
      },
    })
    const jobs = [...requeued, ...failed, ...cancelled]
    if (jobs.length === 0) return
    log.warn(
      { requeued: requeued.length, failed: failed.length },
      'jobs of dead nodes were rescued',
    )
    options.onRescued(jobs)
  }

  return {
    leaseId: () => leaseId,
    holdsLease: () => alone || leaseState(timing, performance.now() - lastRenewedAt) !== 'stopWork',
    clusterMaxThreads: () =>
      others.reduce((max, node) => Math.max(max, node.maxThreads), options.maxThreads),
    others: () => others,
    lookAround: () => rescue.nudge(),
    async start() {
      // Alone, whoever held a lease before this start is dead.
      if (alone) await rescueFrom(0)
      await register()
      await look()
      beat.start()
      rescue.start()
    },
    async stop() {
      clearTimeout(lapse)
      await Promise.all([beat.stop(), rescue.stop()])
      clearTimeout(watch)
      await removeNode(store, leaseId)
    },
  }
}
