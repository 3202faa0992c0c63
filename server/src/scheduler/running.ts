import type { Job } from '../core/job.ts'

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
  readonly orders: Set<Order>
  /** expected run time of what comes next, ms */
  nextMs: number
}

/** Jobs that were given to a worker at once. */
export interface Order {
  readonly id: number
  /** those that have not ended */
  readonly jobs: Set<RunningJob>
}

export interface RunningJob {
  job: Job
  /** the lease it was claimed under */
  leaseId: string
  slot: Slot
  order: Order
  stopReason: StopReason | null
}

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
  reserve(order: Pick<Slot, 'workerName' | 'width' | 'first' | 'beganAt' | 'endsAt'>): Slot
  /** another order, of `ms` expected, is about to be claimed for the slot */
  await(slot: Slot, ms: number): void
  /** An order has been claimed: its jobs, none where all were refused. Tells its id. */
  add(slot: Slot, order: { leaseId: string; jobs: Job[] }): number
  get(id: string): RunningJob | undefined
  /** it has ended, `now` by the store's clock */
  remove(id: string, now: number): void
  slots(): Iterable<Slot>
  all(): Iterable<RunningJob>
}

export function createRunning(): Running {
  const entries = new Map<string, RunningJob>()
  const slots = new Set<Slot>()
  const busy = new Map<string, number>()
  let allBusy = 0
  let lastId = 0

  const occupy = (workerName: string, threads: number): void => {
    busy.set(workerName, (busy.get(workerName) ?? 0) + threads)
    allBusy += threads
  }
  const freeIfDone = (slot: Slot): void => {
    if (slot.orders.size > 0 || slot.awaited > 0) return
    slots.delete(slot)
    occupy(slot.workerName, -slot.width)
  }

  return {
    get size() {
      return entries.size
    },
    busyThreads: (workerName) => (workerName === undefined ? allBusy : (busy.get(workerName) ?? 0)),
    reserve(order) {
      const slot: Slot = { ...order, takesNext: true, awaited: 1, orders: new Set(), nextMs: 0 }
      slots.add(slot)
      occupy(slot.workerName, slot.width)
      return slot
    },
    await(slot, ms) {
      slot.awaited += 1
      slot.nextMs = ms
    },
    add(slot, { leaseId, jobs }) {
      slot.awaited -= 1
      const order: Order = { id: (lastId += 1), jobs: new Set() }
      for (const job of jobs) {
        const entry: RunningJob = { job, leaseId, slot, order, stopReason: null }
        order.jobs.add(entry)
        entries.set(job.id, entry)
      }
      if (jobs.length > 0) slot.orders.add(order)
      if (slot.orders.size + slot.awaited < 2) slot.nextMs = 0
      freeIfDone(slot)
      return order.id
    },
    get: (id) => entries.get(id),
    remove(id, now) {
      const entry = entries.get(id)
      if (!entry) return
      const { slot, order } = entry
      entries.delete(id)
      order.jobs.delete(entry)
      if (order.jobs.size > 0) return
      slot.orders.delete(order)
      slot.beganAt = now
      slot.endsAt = now + slot.nextMs
      slot.nextMs = 0
      freeIfDone(slot)
    },
    slots: () => slots,
    all: () => entries.values(),
  }
}
