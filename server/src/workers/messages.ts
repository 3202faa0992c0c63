/** Everything that is said between the server process, a worker process and its threads. */
import type { Failure, ItemAnswers, PackedOrder, PackedResults } from './packing.ts'

/** How a step in a thread ended. An answer says what the job did; a rejected call, that the thread is dead. */
export type Answer<T> = { ok: true; value: T } | Failure

/** What every call carries: which run it belongs to, for the cancel flag, and what the job may know. */
export interface CallContext {
  run: number
  lane: Lane
  jobId: string
  attempt: number
  width: number
  chunk: number
}

/** What a thread can be asked to do by a call. `payloads` are those of the order, see `PackedOrder`. */
export interface ThreadApi {
  /** chunks of a parallel job, which has that place in its order; the payload stays in this thread for `merge` */
  split(
    context: CallContext,
    type: string,
    payloads: string | ArrayBuffer,
    place: number,
  ): Promise<Answer<unknown[]>>
  runChunk(context: CallContext, type: string, chunk: unknown): Promise<Answer<unknown>>
  /** JSON text */
  merge(context: CallContext, type: string, parts: unknown[]): Promise<Answer<string>>
}

/** Sent by a thread beside its answers to calls. */
export type FromThread =
  /** answers for items of a run: some ahead, and with `last` all that are left */
  | { heddle: 'items'; run: number; answers: ItemAnswers; last: boolean }
  | { heddle: 'progress'; run: number; jobId: string; chunk: number; fraction: number }

/**
 * Items after each other, once those of the run before have ended. A message and not a call: threads.js answers a
 * call with two messages, and makes an observable, a listener and five promises of it.
 */
export interface RunMessage extends Pick<PackedOrder, 'jobIds' | 'types' | 'attempts'> {
  heddle: 'run'
  run: number
  lane: Lane
  payloads: string | ArrayBuffer
}

/** Sent to a thread beside its calls. */
export type ToThread = RunMessage | { heddle: 'abort'; run: number }

/**
 * A thread has the run at work, the one that comes next, and perhaps some it has yet to pass over because they
 * were called back. Each has a part of the control block to itself, so that what is told to one cannot reach
 * another: one of these lanes.
 */
export type Lane = number
export const LANES = 4

/** Places in the Int32Array that a thread shares with its pool, in the part of each lane. */
export const CONTROL = {
  /** 1 when the run is to stop */
  cancelled: 0,
  /** the item of the batch that runs; -1 while none does */
  item: 1,
  /** items from here on are not to be started */
  end: 2,
} as const
/** Int32 of one lane's part. Its last two are the start of the running item, as one Float64. */
export const LANE_WORDS = 6
export const CLOCK_WORD = 4
export const CONTROL_BYTES = LANES * LANE_WORDS * 4

/** What a thread is started with. */
export interface ThreadData {
  control: SharedArrayBuffer
  /** see `unsent-answers.js` */
  unsent: SharedArrayBuffer
  modules: string[]
  maxResultBytes: number
}

export type ToWorkerProcess =
  | { type: 'run'; orders: PackedOrder[] }
  | { type: 'cancel'; jobIds: string[] }
  | { type: 'recall'; jobIds: string[] }
  | { type: 'warm' }
  /** jobs may run for this much longer, unless it is said again */
  | { type: 'lease'; ms: number }
  | { type: 'close' }

export type FromWorkerProcess =
  | { type: 'ready' }
  | { type: 'finished'; results: PackedResults }
  | { type: 'progress'; updates: { jobId: string; fraction: number }[] }
  | { type: 'trouble'; message: string }
  | { type: 'closed' }
