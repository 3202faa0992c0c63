/**
 * Orders and results as they travel between processes and threads: side by side in a few arrays, what is the same
 * for all jobs of an order told once, and their ids and payloads as a text each, which the thread takes apart. As a
 * list of objects a small job took 27 µs of the worker process; the same in columns takes 9.
 */
import type { JobError } from '../core/job.ts'
import type { Outcome } from '../core/outcome.ts'
import type { WorkItem, WorkOrder, WorkResult } from './worker.ts'

export interface PackedOrder {
  id: number
  width: number
  /** how many jobs */
  count: number
  /** see `splitIds` */
  jobIds: string
  /** this and the next two: see `ofItem` */
  types: string[]
  attempts: number[]
  /** limit of each attempt; null for none */
  timeoutsMs: (number | null)[]
  /** JSON text of the list of payloads, as it is or in UTF-8 */
  payloads: string | Uint8Array
  /** see `WorkOrder` */
  behind: number | null
}

export function packOrder({ id, width, items, behind }: WorkOrder): PackedOrder {
  return {
    id,
    width,
    count: items.length,
    jobIds: items.map(({ jobId }) => jobId).join(ID_SEPARATOR),
    types: column(items, ({ type }) => type),
    attempts: column(items, ({ attempt }) => attempt),
    timeoutsMs: column(items, ({ timeoutMs }) => timeoutMs),
    payloads: payloadList(items),
    behind: behind ?? null,
  }
}

const ID_SEPARATOR = ','

/** The ids of an order's jobs. They are taken apart only for those who ask: most jobs do not. */
export const splitIds = ({ jobIds }: Pick<PackedOrder, 'jobIds'>): string[] =>
  jobIds.split(ID_SEPARATOR)

/** One for each item, or one for all where they are the same. */
function column<T>(items: readonly WorkItem[], of: (item: WorkItem) => T): T[] {
  const all = items.map(of)
  return all.every((each) => each === all[0]) ? all.slice(0, 1) : all
}

/** What a column tells of an item. */
export const ofItem = <T>(column: readonly T[], index: number): T | undefined =>
  column[column.length === 1 ? 0 : index]

const [OPEN = 0, COMMA = 0, CLOSE = 0] = Buffer.from('[,]')
/** Payloads up to this many characters are joined as text: of short ones bytes would be larger, and slower to make. */
const SHORT = 1024

/**
 * The payloads of an order as one list. They are JSON already: each was checked where it came in, and by the
 * database. As bytes large ones are copied once on their way, where a text of some MB was joined, flattened and
 * encoded again at each step: payloads of 10 kB took the server 15 µs a job more.
 * Not sooner: bytes of each payload's own count as memory outside of V8's heap, at which it marks all of the heap.
 */
function payloadList(items: readonly WorkItem[]): string | Uint8Array {
  const payloads = items.map(({ payload }) => payload)
  if (payloads.every(({ length }) => length <= SHORT)) return `[${payloads.join()}]`
  // A bracket or comma before each, and a bracket at the end.
  const size = payloads.reduce((sum, payload) => sum + 1 + Buffer.byteLength(payload), 1)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const payload of payloads) {
    bytes[at] = at === 0 ? OPEN : COMMA
    at += 1
    at += bytes.write(payload, at)
  }
  bytes[at] = CLOSE
  return bytes
}

/** A step that did not succeed. */
export interface Failure {
  ok: false
  error: JobError
  final?: boolean
}

/** What a thread says of items that follow each other in their order. */
export interface ItemAnswers {
  /** index of the first */
  from: number
  /** the result as JSON text, or why there is none */
  answers: (string | Failure)[]
  /** of each: when it started, when it ended, epoch ms */
  times: ArrayLike<number>
}

export interface PackedResults {
  /** of each: the id of its order, and which item of that */
  orders: number[]
  places: number[]
  /** the result of one that completed, or how else it ended */
  outcomes: (string | Outcome)[]
  /** of each: when it started, when it ended, epoch ms */
  times: Float64Array
}

export function packResults(results: readonly WorkResult[]): PackedResults {
  const times = new Float64Array(2 * results.length)
  results.forEach(({ startedAt, finishedAt }, index) => {
    times[2 * index] = startedAt
    times[2 * index + 1] = finishedAt
  })
  return {
    orders: results.map(({ order }) => order),
    places: results.map(({ place }) => place),
    outcomes: results.map(({ outcome }) =>
      outcome.kind === 'completed' ? outcome.result : outcome,
    ),
    times,
  }
}

export function unpackResults({ orders, places, outcomes, times }: PackedResults): WorkResult[] {
  return outcomes.map((outcome, index) => ({
    order: orders[index] ?? 0,
    place: places[index] ?? 0,
    outcome: typeof outcome === 'string' ? { kind: 'completed', result: outcome } : outcome,
    startedAt: times[2 * index] ?? 0,
    finishedAt: times[2 * index + 1] ?? 0,
  }))
}
