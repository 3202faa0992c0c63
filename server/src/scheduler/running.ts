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
  workerName: string
  width: number
  /** jobs of the order that have not ended */
  jobs: Map<string, RunningJob>
}

export interface RunningJob {
  job: Job
  /** the lease it was claimed under */
  leaseId: string
  slot: Slot
  stopReason: StopReason | null
}

/** Jobs this node holds a lease on and has given to a worker. A slot is free again when its last job has ended. */
export interface Running {
  /** jobs */
  readonly size: number
  /** threads occupied, of one worker or of all */
  busyThreads(workerName?: string): number
  add(order: { workerName: string; width: number; leaseId: string; jobs: Job[] }): void
  get(id: string): RunningJob | undefined
  remove(id: string): void
  slots(): Iterable<Slot>
  all(): Iterable<RunningJob>
}

export function createRunning(): Running {
  const entries = new Map<string, RunningJob>()
  const slots = new Set<Slot>()
  const busy = new Map<string, number>()
  let allBusy = 0

  const occupy = (workerName: string, threads: number): void => {
    busy.set(workerName, (busy.get(workerName) ?? 0) + threads)
    allBusy += threads
  }

  return {
    get size() {
      return entries.size
    },
    busyThreads: (workerName) => (workerName === undefined ? allBusy : (busy.get(workerName) ?? 0)),
    add({ workerName, width, leaseId, jobs }) {
      const slot: Slot = { workerName, width, jobs: new Map() }
      for (const job of jobs) {
        const entry: RunningJob = { job, leaseId, slot, stopReason: null }
        slot.jobs.set(job.id, entry)
        entries.set(job.id, entry)
      }
      slots.add(slot)
      occupy(workerName, width)
    },
    get: (id) => entries.get(id),
    remove(id) {
      const entry = entries.get(id)
      if (!entry) return
      const { slot } = entry
      entries.delete(id)
      slot.jobs.delete(id)
      if (slot.jobs.size > 0) return
      slots.delete(slot)
      occupy(slot.workerName, -slot.width)
    },
    slots: () => slots,
    all: () => entries.values(),
  }
}
