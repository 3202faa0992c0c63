import type { JobError } from '../core/job.ts'
import type { Outcome } from '../core/outcome.ts'
import type { Answer, Lane } from './messages.ts'
import { ofItem, type ItemAnswers, type PackedOrder } from './packing.ts'
import { ThreadEnded, type Thread } from './thread.ts'
import type { WorkResult } from './worker.ts'

/** A place for one thread. The thread is started when it is needed, kept, and replaced when it has ended. */
export interface Seat {
  readonly index: number
  thread: Thread | null
  /**
   * Of its thread and all that replace it, see `unsent-answers.js`: V8 does not count it, and would let that of
   * hundreds of ended threads stand.
   */
  readonly unsent: SharedArrayBuffer
  run: Run | null
  /** given to the thread already, which begins it when `run` has ended */
  next: Run | null
  /** By lane: all that have not ended, among them what the thread has yet to pass over. */
  readonly lanes: (Run | null)[]
}

export type Stop = 'timeout' | 'cancel'

/** One order on its way through its threads. */
export interface Run {
  readonly id: number
  readonly order: PackedOrder
  readonly seats: readonly Seat[]
  /** when it, or the job of it that has all of its threads, was given to them; before that, when it came */
  startedAt: number
  /** of jobs that have all of its threads, which of them runs, and from which on none will be started */
  gangs: { item: number; end: number }
  /** false while it waits for its threads to start */
  begun: boolean
  /** which part of its threads' control blocks is its own */
  readonly lane: Lane
  /** true for one that was given to its thread behind another */
  readonly ahead: boolean
  /** of each item, whether it was answered for: each is, exactly once */
  readonly answered: boolean[]
  /** items that were not */
  unanswered: number
  /** which item is to stop, and why */
  stop: { index: number; reason: Stop } | null
  /** of each chunk of a gang */
  readonly fractions: number[]
  /** items answered by a thread, sent ahead or at the end */
  onItems: (answers: ItemAnswers) => void
  /** ends it without its threads, which will not end soon */
  giveUp: (error: ThreadEnded) => void
}

// A getter of the platform, with checks of its own.
const { timeOrigin } = performance
/** epoch ms, finer than Date.now */
export const now = (): number => timeOrigin + performance.now()

let lastId = 0

export function createRun(
  order: PackedOrder,
  seats: Seat[],
  { lane, ahead }: Pick<Run, 'lane' | 'ahead'>,
): Run {
  // 0 stands for no run in the threads' flags; ids wrap long before they leave the Int32 they are kept in.
  lastId = (lastId % 0x7ffffffe) + 1
  return {
    id: lastId,
    order,
    seats,
    startedAt: now(),
    gangs: { item: 0, end: order.count },
    begun: false,
    lane,
    ahead,
    answered: Array<boolean>(order.count).fill(false),
    unanswered: order.count,
    stop: null,
    fractions: seats.map(() => 0),
    onItems: () => {},
    giveUp: () => {},
  }
}

/**
 * Bytes as a copy for the run's thread alone, that it gets without another one. The order's own are a view of the
 * whole message they came in, and a view is cloned with all that is behind it.
 */
export const ownPayloads = ({ order: { payloads } }: Run): string | ArrayBuffer =>
  typeof payloads === 'string' ? payloads : new Uint8Array(payloads).buffer

const toJobError = (thrown: unknown): JobError =>
  thrown instanceof Error
    ? { name: thrown.name, message: thrown.message }
    : { name: 'NonError', message: String(thrown) }

/** The outcome of an item that was told to stop, or whose thread ended, or that said itself how it went. */
export function outcomeOf(run: Run, index: number, answer: Answer<string> | ThreadEnded): Outcome {
  if (!(answer instanceof ThreadEnded) && answer.ok)
    return { kind: 'completed', result: answer.value }
  if (run.stop?.index === index) {
    if (run.stop.reason === 'cancel') return { kind: 'cancelled' }
    const message = `The attempt ran past its time limit of ${ofItem(run.order.timeoutsMs, index)} ms`
    return { kind: 'timedOut', error: { name: 'TimeoutError', message, code: 'TIMEOUT' } }
  }
  if (answer instanceof ThreadEnded) return { kind: 'lost', error: answer.jobError }
  return { kind: 'failed', error: answer.error, ...(answer.final === true ? { final: true } : {}) }
}

/** Answers for an item that was not answered for. */
export function answerFor(
  run: Run,
  place: number,
  outcome: Outcome,
  startedAt: number,
  finishedAt: number,
): WorkResult {
  if (run.answered[place] !== false) {
    throw new Error(`order ${run.order.id} has no item ${place} without an answer`)
  }
  run.answered[place] = true
  run.unanswered -= 1
  return { order: run.order.id, place, outcome, startedAt, finishedAt }
}

/** Results for the items from there on that will not run: they go back to the queue. */
export function givenBack(run: Run, from: number): WorkResult[] {
  if (run.unanswered === 0) return []
  const at = now()
  const results: WorkResult[] = []
  for (let index = from; index < run.order.count; index += 1) {
    if (run.answered[index]) continue
    // One that was to stop before its thread had come to it ends as it would have a moment later.
    const stopped = run.stop?.index === index && run.stop.reason === 'cancel'
    const outcome = { kind: stopped ? ('cancelled' as const) : ('interrupted' as const) }
    results.push(answerFor(run, index, outcome, at, at))
  }
  return results
}

/** A call that could not be made, e.g. because a chunk cannot be cloned: the job's own fault, its thread lives. */
export const asAnswer = (thrown: unknown): Answer<never> | ThreadEnded =>
  thrown instanceof ThreadEnded ? thrown : { ok: false, error: toJobError(thrown) }
