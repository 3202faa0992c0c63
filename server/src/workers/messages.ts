/** Everything that is said between the server process, a worker process and its threads. */
import type { JobError } from '../core/job.ts'
import type { WorkItem, WorkOrder, WorkResult } from './worker.ts'

/** How a step in a thread ended. An answer says what the job did; a rejected call, that the thread is dead. */
export type Answer<T> = { ok: true; value: T } | { ok: false; error: JobError; final?: boolean }

/** One item of a batch as its thread tells it. */
export interface ItemAnswer {
  index: number
  /** JSON text */
  answer: Answer<string>
  startedAt: number
  finishedAt: number
}

/** What every call carries: which run it belongs to, for the cancel flag, and what the job may know. */
export interface CallContext {
  run: number
  jobId: string
  attempt: number
  width: number
  chunk: number
}

/** What a thread can be asked to do. */
export interface ThreadApi {
  /** items after each other; answers that were not sent ahead */
  runItems(run: number, items: WorkItem[]): Promise<ItemAnswer[]>
  /** chunks of a parallel job; the payload stays in this thread for `merge` */
  split(context: CallContext, item: WorkItem): Promise<Answer<unknown[]>>
  runChunk(context: CallContext, type: string, chunk: unknown): Promise<Answer<unknown>>
  /** JSON text */
  merge(context: CallContext, type: string, parts: unknown[]): Promise<Answer<string>>
}

/** Sent by a thread beside its answers. */
export type FromThread =
  | { heddle: 'items'; run: number; answers: ItemAnswer[] }
  | { heddle: 'progress'; run: number; jobId: string; chunk: number; fraction: number }

/** Sent to a thread beside its calls. */
export interface ToThread {
  heddle: 'abort'
  run: number
}

/** Places in the Int32Array that a thread shares with its pool. */
export const CONTROL = {
  /** the run that is to stop */
  cancelledRun: 0,
  /** the item of the batch that runs */
  item: 1,
  /** items from here on are not to be started */
  end: 2,
} as const
/** Bytes of the control block: three Int32 and, from byte 16, the start of the running item as Float64. */
export const CONTROL_BYTES = 24
export const CLOCK_OFFSET = 16

/** What a thread is started with. */
export interface ThreadData {
  control: SharedArrayBuffer
  modules: string[]
  maxResultBytes: number
}

export type ToWorkerProcess =
  | { type: 'run'; orders: WorkOrder[] }
  | { type: 'cancel'; jobIds: string[] }
  /** jobs may run for this much longer, unless it is said again */
  | { type: 'lease'; ms: number }
  | { type: 'close' }

export type FromWorkerProcess =
  | { type: 'ready' }
  | { type: 'finished'; results: WorkResult[] }
  | { type: 'progress'; updates: { jobId: string; fraction: number }[] }
  | { type: 'trouble'; message: string }
  | { type: 'closed' }
