import type { Outcome } from '../core/outcome.ts'
import { splitIds, type PackedOrder } from './packing.ts'
import type { WorkResult } from './worker.ts'

interface Placed {
  id: number
  /** threads it was counted on */
  seats: number[]
  givenAt: number
  /** Not the whole items: their payloads would stay in memory until the jobs end. */
  jobIds: string
  /** of each job, whether it was answered for */
  answered: boolean[]
  /** jobs without an answer */
  left: number
  /** what comes next on its seats */
  next: Placed | null
}

/** What a worker process was given and has not answered for: each item is answered exactly once, its death included. */
export interface Outstanding {
  /** Throws if the orders need more threads than are free. */
  add(orders: readonly PackedOrder[]): void
  /** the results that were waited for */
  take(results: WorkResult[]): WorkResult[]
  /**
   * Answers for everything but the orders of `except`: what ran ended like `ran`, what was behind it in a batch
   * never started.
   */
  fail(ran: Outcome, except: ReadonlySet<number>): WorkResult[]
  /** one entry per thread: the job it runs, or null */
  busy(): (string | null)[]
}

const now = (): number => performance.timeOrigin + performance.now()

const place = ({ id, jobIds, count }: PackedOrder, seats: number[]): Placed => ({
  ...{ id, jobIds, seats },
  givenAt: now(),
  answered: Array<boolean>(count).fill(false),
  left: count,
  next: null,
})

export function createOutstanding(threads: number): Outstanding {
  const seats: (Placed | null)[] = Array.from({ length: threads }, () => null)

  const find = (id: number): Placed | undefined => {
    for (const placed of seats) {
      if (placed?.id === id) return placed
      if (placed?.next?.id === id) return placed.next
    }
    return undefined
  }

  const answer = (order: Placed, at: number): void => {
    order.answered[at] = true
    order.left -= 1
    if (order.left > 0) return
    for (const seat of order.seats) {
      const placed = seats[seat]
      // What came next may be answered for first.
      if (placed === order) seats[seat] = order.next
      else if (placed?.next === order) placed.next = null
    }
    // One that the garbage collector has carried into the old space would keep all that ever came next.
    order.next = null
  }

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
        if (before) before.next = placed
        else for (const seat of free) seats[seat] = placed
      }
    },
    take(results) {
      let order: Placed | undefined
      return results.filter((result) => {
        if (order?.id !== result.order) order = find(result.order)
        if (order?.answered[result.place] !== false) return false
        answer(order, result.place)
        return true
      })
    },
    fail(ran, except) {
      const finishedAt = now()
      const results: WorkResult[] = []
      for (const first of new Set(seats)) {
        let outcome = ran
        for (const order of [first, first?.next]) {
          if (!order || except.has(order.id)) continue
          order.answered.forEach((answered, at) => {
            if (answered) return
            const startedAt = first?.givenAt ?? finishedAt
            results.push({ order: order.id, place: at, outcome, startedAt, finishedAt })
            outcome = { kind: 'interrupted' }
          })
        }
      }
      for (const result of results) {
        const order = find(result.order)
        if (order) answer(order, result.place)
      }
      return results
    },
    busy: () =>
      seats.map((placed) => (placed && splitIds(placed)[placed.answered.indexOf(false)]) ?? null),
  }
}
