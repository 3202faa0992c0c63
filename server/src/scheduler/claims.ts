/**
 * Claims under way: what was planned is taken from the table, then handed over. Its threads are occupied from
 * the moment it is planned, so the next plan need not wait for the answer.
 */
import type { DecisionLog } from '../core/decision-log.ts'
import { flat } from '../core/flat.ts'
import type { Job } from '../core/job.ts'
import type { Start } from '../core/plan.ts'
import { claimJobs, type Claim, type Claimed } from '../store/claim.ts'
import type { FirstClaims } from '../store/insert-claimed.ts'
import type { Store } from '../store/open.ts'
import { claimShortly, type ShortClaim } from '../store/short-claim.ts'
import type { Batch } from './batches.ts'
import type { Worker, WorkItem, WorkOrder } from '../workers/worker.ts'
import type { Membership } from './membership.ts'
import type { Running, RunningJob, Slot } from './running.ts'
import type { OpenClaim, ShortClaims } from './short-claims.ts'

/** Statements at once: while one is on its way, the other is worked on. */
const MAX_FLIGHTS = 2
/**
 * A claim of at least so many jobs, none of whose orders is expected to take longer, is a short one:
 * docs/decisions/0012.
 */
const LEAST_SHORT = 100
const SHORT_MS = 30
/** Connections for hot statements that short claims leave to others. */
const SPARE_CONNECTIONS = 2

export interface ClaimsOptions {
  store: Store
  membership: Membership
  running: Running
  workers: ReadonlyMap<string, Worker>
  decisions: DecisionLog
  shortClaims: ShortClaims
  leaseMs: number
  /** see `SchedulerOptions` */
  isolated: boolean
  /** out of the window */
  take(id: string): Job | undefined
  /** after the commit of a claim, in the turn in which the jobs were handed to their workers */
  onStarted(jobs: Job[]): void
  onHandedOver(): void
  /** jobs that `stopWhenStarted` was asked about now run, if they were not refused */
  onStopWanted(ids: string[]): void
  /** A claim was answered; `refused` where not all that was asked for was given. */
  onEnd(refused: boolean): void
  onError(error: unknown): void
  /** gives back rows that a claim of unknown end may have left under this lease */
  reconcile(): Promise<void>
}

export interface Claims {
  /** whether one more may be under way */
  hasRoom(): boolean
  start(batches: readonly Batch[]): void
  /** `insert` puts the jobs in the table and claims them as it does. Resolves or rejects as that. */
  startNew<Stored extends { claimed: Claimed[] }>(
    batches: readonly Batch[],
    jobs: readonly Job[],
    insert: (first: FirstClaims) => Promise<Stored>,
  ): Promise<Stored>
  /** what is being claimed, as it stands in the queue */
  jobs(): Job[]
  /** remembers the wish for those of them that are being claimed this moment */
  stopWhenStarted(ids: readonly string[]): void
  /** Settles what became of claims whose end is not known. Nothing is claimed meanwhile. */
  clearDoubts(): Promise<void>
  /** resolves when none is under way */
  idle(): Promise<void>
}

const toItem = ({ job, payload }: Claimed): WorkItem => ({
  jobId: job.id,
  type: job.type,
  attempt: job.attempt,
  payload,
  timeoutMs: job.timeoutMs,
})

interface Order {
  slot: Slot
  claims: Claim[]
  /** of each claim, why it starts now */
  starts: Start[]
}

/** What was taken from the table; `open` where its rows still stand as queued. */
interface Taken {
  claimed: Claimed[]
  open?: ShortClaim
}

/** A statement under way. */
interface Flight {
  orders: readonly Order[]
  landed: Promise<void>
}

/** Those of `claimed` that were asked for by each order: both are in the same order. */
function dealt(orders: readonly Order[], claimed: readonly Claimed[]): Claimed[][] {
  let next = 0
  return orders.map(({ claims }) => {
    const own: Claimed[] = []
    for (const { job } of claims) {
      const each = claimed[next]
      if (each?.job.id !== job.id) continue
      own.push(each)
      next += 1
    }
    return own
  })
}

/** Nearly always all of them. */
function claimsTaken(asked: readonly Claim[], claimed: readonly Claimed[]): readonly Claim[] {
  if (claimed.length === asked.length) return asked
  const ids = new Set(claimed.map(({ job }) => job.id))
  return asked.filter(({ job }) => ids.has(job.id))
}

const claimsOf = (orders: readonly Order[]): Claim[] => flat(orders.map(({ claims }) => claims))

export function createClaims(options: ClaimsOptions): Claims {
  const { store, membership, running, workers } = options
  const flights: Flight[] = []
  const stopWanted = new Set<string>()
  /** The embedded database has one connection for all. */
  const mostShort =
    store.kind === 'postgres' && options.isolated ? store.hot.options.max - SPARE_CONNECTIONS : 0
  let inDoubt = false
  let clearing = false

  const jobs = (): Job[] =>
    claimsOf(flat(flights.map(({ orders }) => orders))).map(({ job }) => job)

  const toOrder = (
    { starts, behind, workerName, width, ms, followMs }: Batch,
    take: (id: string) => Job | undefined,
  ): Order[] => {
    const claims: Claim[] = []
    const left: Start[] = []
    for (const start of starts) {
      const job = take(start.id)
      if (!job) continue
      claims.push({ job, workerName, width, widthReason: start.widthReason })
      left.push(start)
    }
    const [first] = claims
    if (!first) return []
    if (behind) running.await(behind, ms)
    const now = store.clock.now()
    const slot =
      behind ??
      running.reserve({
        ...{ workerName, width, first: first.job },
        ...{ beganAt: now, endsAt: now + ms, followMs },
      })
    return [{ slot, claims, starts: left }]
  }

  const handOver = (
    orders: readonly Order[],
    given: readonly Claimed[][],
    { leaseId, shortClaim }: Pick<RunningJob, 'leaseId' | 'shortClaim'>,
  ): void => {
    const perWorker = new Map<string, WorkOrder[]>()
    for (const [at, { slot }] of orders.entries()) {
      const claimed = given[at] ?? []
      const [behind] = slot.orders
      const id = running.add(slot, { leaseId, shortClaim, jobs: claimed.map(({ job }) => job) })
      if (claimed.length === 0) continue
      const { workerName, width } = slot
      const own = perWorker.get(workerName) ?? []
      perWorker.set(workerName, own)
      const items = claimed.map(toItem)
      own.push({ id, width, items, ...(behind && { behind: behind.id }) })
    }
    for (const [name, own] of perWorker) workers.get(name)?.run(own)
    options.onHandedOver()
  }

  const fly = async (
    orders: readonly Order[],
    leaseId: string,
    take: (asked: readonly Claim[]) => Promise<Taken>,
  ): Promise<void> => {
    const asked = claimsOf(orders)
    let claimed: Claimed[] = []
    let shortClaim: OpenClaim | null = null
    let error: unknown
    try {
      const taken = await take(asked)
      if (membership.holdsLease() && membership.leaseId() === leaseId) {
        claimed = taken.claimed
        if (taken.open)
          shortClaim = options.shortClaims.add(taken.open, leaseId, claimsTaken(asked, claimed))
      } else {
        // Too late to run them under it: they are given back as if nobody knew.
        taken.open?.drop()
        inDoubt = true
      }
    } catch (thrown) {
      inDoubt = true
      error = thrown
    }
    const isWhole = claimed.length === asked.length
    const given = dealt(orders, claimed)
    handOver(orders, given, { leaseId, shortClaim })
    options.onStarted(claimed.map(({ job }) => job))
    const now = store.clock.now()
    for (const [at, { starts }] of orders.entries()) {
      const ids = isWhole ? null : new Set(given[at]?.map(({ job }) => job.id))
      options.decisions.started(ids ? starts.filter(({ id }) => ids.has(id)) : starts, now)
    }
    flights.splice(
      flights.findIndex((flight) => flight.orders === orders),
      1,
    )
    if (stopWanted.size > 0) {
      const wanted = asked.map(({ job }) => job.id).filter((id) => stopWanted.delete(id))
      options.onStopWanted(wanted)
    }
    if (error === undefined) options.onEnd(!isWhole)
    else options.onError(error)
  }

  /** Where nobody else looks at the queue, who would find there what cannot be had. */
  const mayClaimShortly = (batches: readonly Batch[], asked: readonly Claim[]): boolean =>
    mostShort > 1 &&
    asked.length >= LEAST_SHORT &&
    batches.every(({ ms }) => ms <= SHORT_MS) &&
    asked.every(({ job }) => job.fairCostMs === null) &&
    membership.others().every(({ maxThreads }) => maxThreads === 0)

  /** While as many short claims are open as may be, more jobs at work would only wait for the database. */
  const hasRoom = (): boolean =>
    flights.length < MAX_FLIGHTS &&
    (options.shortClaims.size === 0 || options.shortClaims.size + flights.length < mostShort) &&
    !clearing &&
    !(inDoubt && flights.length > 0)

  const depart = (...flight: Parameters<typeof fly>): void => {
    flights.push({ orders: flight[0], landed: fly(...flight) })
  }

  return {
    hasRoom,
    start(batches) {
      const leaseId = membership.leaseId()
      const orders = batches.flatMap((batch) => toOrder(batch, options.take))
      if (orders.length === 0) return
      depart(orders, leaseId, async (asked) =>
        mayClaimShortly(batches, asked)
          ? claimShortly(store, leaseId, asked, options.leaseMs)
          : { claimed: await claimJobs(store, leaseId, asked) },
      )
    },
    startNew(batches, jobs, insert) {
      const leaseId = membership.leaseId()
      const byId = new Map(jobs.map((job) => [job.id, job]))
      const orders = batches.flatMap((batch) => toOrder(batch, (id) => byId.get(id)))
      const stored = insert({ nodeId: leaseId, claims: claimsOf(orders) })
      depart(orders, leaseId, async () => ({ claimed: (await stored).claimed }))
      return stored
    },
    jobs,
    stopWhenStarted(asked) {
      if (asked.length === 0) return
      const claiming = new Set(jobs().map(({ id }) => id))
      for (const id of asked) if (claiming.has(id)) stopWanted.add(id)
    },
    async clearDoubts() {
      if (!inDoubt) return
      clearing = true
      try {
        await options.reconcile()
        inDoubt = false
      } finally {
        clearing = false
      }
    },
    async idle() {
      while (flights.length > 0) await Promise.all(flights.map(({ landed }) => landed))
    },
  }
}
