import type { Outcome } from '../core/outcome.ts'
import type { WorkItem, WorkOrder, WorkResult } from './worker.ts'

interface Entry {
  item: WorkItem
  order: Placed
}

interface Placed {
  id: number
  /** threads it was counted on */
  seats: number[]
  givenAt: number
  items: readonly WorkItem[]
  /** of them without an answer */
  left: number
  /** what comes next on its seats */
  next: Placed | null
}

/** What a worker process was given and has not answered for: each item is answered exactly once, its death included. */
export interface Outstanding {
  /** Throws if the orders need more threads than are free. */
  add(orders: WorkOrder[]): void
  /** the results that were waited for */
  take(results: WorkResult[]): WorkResult[]
  /** Answers for everything but `except`: what ran ended like `ran`, what was behind it in a batch never started. */
  fail(ran: Outcome, except: ReadonlySet<string>): WorkResult[]
  /** one entry per thread: the job it runs, or null */
  busy(): (string | null)[]
}

const now = (): number => performance.timeOrigin + performance.now()

const place = ({ id, items }: WorkOrder, seats: number[]): Placed => ({
  ...{ id, items, seats },
  givenAt: now(),
  left: items.length,
  next: null,
})

export function createOutstanding(threads: number): Outstanding {
  const entries = new Map<string, Entry>()
  const seats: (Placed | null)[] = Array.from({ length: threads }, () => null)

  const remove = (jobId: string): void => {
    const entry = entries.get(jobId)
    if (!entry) return
    const { order } = entry
    entries.delete(jobId)
    order.left -= 1
    if (order.left > 0) return
    for (const seat of order.seats) {
      const placed = seats[seat]
      // What came next may be answered for first.
      if (placed === order) seats[seat] = order.next
      else if (placed?.next === order) placed.next = null
    }
  }

  const isWaiting = (order: Placed, { jobId }: WorkItem): boolean =>
    entries.get(jobId)?.order === order
  /** items without an answer, in their order */
  const waiting = (order: Placed): WorkItem[] =>
    order.items.filter((item) => isWaiting(order, item))

  return {
    add(orders) {
      for (const order of orders) {
        const before = seats.find((placed) => placed && placed.id === order.behind && !placed.next)
        const free = seats.flatMap((placed, seat) => (placed ? [] : [seat])).slice(0, order.width)
        if (!before && free.length < order.width) {
          throw new Error(
            `${order.width} threads of work were given with ${free.length} threads free`,
          )
        }
        const placed = place(order, before ? before.seats : free)
        for (const item of order.items) entries.set(item.jobId, { item, order: placed })
        if (before) before.next = placed
        else for (const seat of free) seats[seat] = placed
      }
    },
    take(results) {
      return results.filter(({ jobId, attempt }) => {
        if (entries.get(jobId)?.item.attempt !== attempt) return false
        remove(jobId)
        return true
      })
    },
    fail(ran, except) {
      const at = now()
      const results: WorkResult[] = []
      for (const order of new Set(seats)) {
        if (!order) continue
        let outcome = ran
        for (const item of [...waiting(order), ...(order.next ? waiting(order.next) : [])]) {
          if (except.has(item.jobId)) continue
          results.push({
            jobId: item.jobId,
            attempt: item.attempt,
            outcome,
            startedAt: order.givenAt,
            finishedAt: at,
          })
          outcome = { kind: 'interrupted' }
        }
      }
      for (const { jobId } of results) remove(jobId)
      return results
    },
    busy: () =>
      seats.map((placed) => {
        return placed?.items.find((item) => isWaiting(placed, item))?.jobId ?? null
      }),
  }
}
