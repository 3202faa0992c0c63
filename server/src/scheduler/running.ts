import type { Job } from '../core/job.ts'
import type { OpenClaim } from './short-claims.ts'

/** Why this node wants a job of its own to stop; decides what becomes of the attempt. */
export type StopReason =
  /** somebody asked: it ends as CANCELLED */
  | 'cancel'
  /** the lease cannot be renewed in time: given back without counting the attempt */
  | 'lease'
  /** the node is going away: the same */
  | 'shutdown'

/** Threads of one worker that one order occupies: a job on `width` of them, or small jobs one after another on one. */
export interface Slot {
  readonly workerName: string
  readonly width: number
  /** false where what was to come next waited in vain */
  takesNext: boolean
  /** when the order at work is expected to be over, by the store's clock; Infinity where that is not known */
  endsAt: number
  /** what it was reserved for */
  readonly first: Job
  /** when it was reserved, or the order before the one at work was over, by the store's clock */
  beganAt: number
  /** orders that are being claimed for it */
  awaited: number
  /** orders of which some job has not ended: the one on its threads, and what comes next */
  readonly orders: Order[]
  /** expected run time of what comes next, ms */
  nextMs: number
  /** expected run time of the gangs that follow the first of its order, ms */
  followMs: number
}

/** Jobs that were given to a worker at once. */
export interface Order {
  readonly id: number
  readonly jobs: readonly RunningJob[]
  /** those that have not ended, and the place of the first of them */
  left: number
  first: number
}

export interface RunningJob {
  job: Job
  /** the lease it was claimed under */
  leaseId: string
  /** of what was claimed shortly; null for what stands under the lease */
  shortClaim: OpenClaim | null
  slot: Slot
  order: Order
  stopReason: StopReason | null
  ended: boolean
}

/** The first job of an order that has not ended: as its thread runs them one after another, the one that runs. */
export const firstOf = (order: Order | undefined): RunningJob | undefined =>
  order?.jobs[order.first]

/**
 * What occupies this node's threads: jobs it holds a lease on and has given to a worker, and orders that are
 * being claimed. A slot is free again when its last job has ended and nothing is awaited for it.
 */
export interface Running {
  /** jobs */
  readonly size: number
  /** threads occupied, of one worker or of all */
  busyThreads(workerName?: string): number
  /** occupies threads for an order that is about to be claimed */
  reserve(
    order: Pick<Slot, 'workerName' | 'width' | 'first' | 'beganAt' | 'endsAt' | 'followMs'>,
  ): Slot
  /** another order, of `ms` expected, is about to be claimed for the slot */
  await(slot: Slot, ms: number): void
  /** An order has been claimed: its jobs, none where all were refused. Tells its id. */
  add(slot: Slot, order: Pick<RunningJob, 'leaseId' | 'shortClaim'> & { jobs: Job[] }): number
  order(id: number): Order | undefined
  /** Looks through all of them, as nothing does that runs for every job. */
  get(jobId: string): RunningJob | undefined
  /** made anew at each call */
  byId(): ReadonlyMap<string, RunningJob>
  /** it has ended, `now` by the store's clock */
  remove(entry: RunningJob, now: number): void
  slots(): Iterable<Slot>
  all(): Iterable<RunningJob>
}

/**
 * Lists, and no map of what comes and goes with every job: V8 makes the table of such a map anew again and again,
 * and lets the old one lead to the new one. Once the garbage collector has carried a table into the old space, all
 * that came later stays there with it: it moved twice as much, at a sixth of the server's CPU in a drain.
 */
export function createRunning(): Running {
  const slots: Slot[] = []
  const busy = new Map<string, number>()
  let size = 0
  let allBusy = 0
  let lastId = 0

  const occupy = (workerName: string, threads: number): void => {
    busy.set(workerName, (busy.get(workerName) ?? 0) + threads)
    allBusy += threads
  }
  const freeIfDone = (slot: Slot): void => {
    if (slot.orders.length > 0 || slot.awaited > 0) return
    slots.splice(slots.indexOf(slot), 1)
    occupy(slot.workerName, -slot.width)
  }
  function* all(): Generator<RunningJob> {
    for (const { orders } of slots)
      for (const { jobs } of orders) for (const entry of jobs) if (!entry.ended) yield entry
  }

  return {
    get size() {
      return size
    },
    busyThreads: (workerName) => (workerName === undefined ? allBusy : (busy.get(workerName) ?? 0)),
    reserve(order) {
      const slot: Slot = { ...order, takesNext: true, awaited: 1, orders: [], nextMs: 0 }
      slots.push(slot)
      occupy(slot.workerName, slot.width)
      return slot
    },
    await(slot, ms) {
      slot.awaited += 1
      slot.nextMs = ms
    },
    add(slot, { leaseId, shortClaim, jobs }) {
      slot.awaited -= 1
      const own: RunningJob[] = []
      const order: Order = { id: (lastId += 1), jobs: own, left: jobs.length, first: 0 }
      for (const job of jobs)
        own.push({ job, leaseId, shortClaim, slot, order, stopReason: null, ended: false })
      size += jobs.length
      if (jobs.length > 0) slot.orders.push(order)
      if (slot.orders.length + slot.awaited < 2) slot.nextMs = 0
      freeIfDone(slot)
      return order.id
    },
    order(id) {
      for (const { orders } of slots) for (const order of orders) if (order.id === id) return order
      return undefined
    },
    get(jobId) {
      for (const entry of all()) if (entry.job.id === jobId) return entry
      return undefined
    },
    byId: () => new Map([...all()].map((entry) => [entry.job.id, entry])),
    remove(entry, now) {
      if (entry.ended) return
      const { slot, order } = entry
      entry.ended = true
      size -= 1
      order.left -= 1
      while (order.jobs[order.first]?.ended) order.first += 1
      if (order.left > 0) return
      slot.orders.splice(slot.orders.indexOf(order), 1)
      slot.beganAt = now
      slot.endsAt = now + slot.nextMs
      slot.nextMs = 0
      freeIfDone(slot)
    },
    slots: () => slots,
    all,
  }
}
