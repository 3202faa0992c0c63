import type { Outcome } from '../core/outcome.ts'

/** One job as a worker needs it. */
export interface WorkItem {
  /** without a comma */
  jobId: string
  type: string
  attempt: number
  /** JSON text, parsed in the thread and not on the way */
  payload: string
  /** limit of this attempt; null for none */
  timeoutMs: number | null
}

/** One message to the threads: a job on `width` of them, or several short ones after each other on the same. */
export interface WorkOrder {
  /** no other order of this worker ever has it: what is answered late is not taken for an answer to another */
  id: number
  width: number
  items: WorkItem[]
  /**
   * An order on whose thread this comes next, if that one has not ended: so that the thread does not wait for
   * a message when it is free. At most one order may come next on a thread.
   */
  behind?: number
}

export interface WorkResult {
  /** id of the order, and which of its items */
  order: number
  place: number
  outcome: Outcome
  /** when the item itself started and ended in its thread, epoch ms on this machine's clock; equal if it never ran */
  startedAt: number
  finishedAt: number
}

export interface WorkerEvents {
  /** every item of every order is answered exactly once, however its thread, gang or process ends */
  finished(results: WorkResult[]): void
  progress(updates: { jobId: string; fraction: number }[]): void
  /** human-readable trouble: a thread replaced, the process restarted */
  trouble(message: string): void
}

/**
 * A named set of threads that runs jobs. The caller does the booking: it never asks for more threads
 * than are free, and a worker starts what it is given at once.
 */
export interface Worker {
  readonly name: string
  readonly threads: number
  /** throws if an order that comes behind no other is wider than the threads not in use */
  run(orders: WorkOrder[]): void
  /** Jobs that have not begun, of orders that come next, end as `interrupted`; the others go on. */
  recall(jobIds: string[]): void
  /** Starts its first thread, so that the first job need not wait for that; further ones start when they are needed. */
  warm(): void
  /** asks the job to stop, ends its threads after the grace period; the item's outcome is then `cancelled` */
  cancel(jobIds: string[]): void
  /**
   * Jobs may run for `ms` more, unless this is called again; then they are ended as `interrupted`, even
   * if the server process has been stopped and cannot see it. Never called: no limit.
   */
  extendLease(ms: number): void
  /** one entry per thread: the job it runs, or null */
  busy(): (string | null)[]
  /** ends everything that still runs as `interrupted` and lets the threads go; safe to call twice */
  close(): Promise<void>
}
