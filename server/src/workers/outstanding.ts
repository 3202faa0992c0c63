import type { Outcome } from '../core/outcome.ts'
import type { PackedOrder } from './packing.ts'
import type { WorkResult } from './worker.ts'

interface Entry {
  attempt: number
  order: Placed
}

interface Placed {
  id: number
  /** threads it was counted on */
  seats: number[]
  givenAt: number
  /** Not the whole items: their payloads would stay in memory until the jobs end. */
  jobIds: readonly string[]
  /** of them without an answer */
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
  /** Answers for everything but `except`: what ran ended like `ran`, what was behind it in a batch never started. */
  fail(ran: Outcome, except: ReadonlySet<string>): WorkResult[]
  /** one entry per thread: the job it runs, or null */
  busy(): (string | null)[]
}

const now = (): number => performance.timeOrigin + performance.now()

const place = ({ id, jobIds }: PackedOrder, seats: number[]): Placed => ({
  ...{ id, jobIds, seats },
  givenAt: now(),
  left: jobIds.length,
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

  const isWaiting = (order: Placed, jobId: string): boolean => entries.get(jobId)?.order === order
  /** jobs without an answer, in their order */
  const waiting = (order: Placed): string[] =>
    order.jobIds.filter((jobId) => isWaiting(order, jobId))

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
        order.jobIds.forEach((jobId, at) => {
          entries.set(jobId, { attempt: order.attempts[at] ?? 0, order: placed })
        })
        if (before) before.next = placed
        else for (const seat of free) seats[seat] = placed
      }
    },
    take(results) {
      return results.filter(({ jobId, attempt }) => {
        if (entries.get(jobId)?.attempt !== attempt) return false
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
        for (const jobId of [...waiting(order), ...(order.next ? waiting(order.next) : [])]) {
          if (except.has(jobId)) continue
          const attempt = entries.get(jobId)?.attempt ?? 0
          results.push({ jobId, attempt, outcome, startedAt: order.givenAt, finishedAt: at })
          outcome = { kind: 'interrupted' }
        }
      }
      for (const { jobId } of results) remove(jobId)
      return results
    },
    busy: () =>
      seats.map((placed) => placed?.jobIds.find((jobId) => isWaiting(placed, jobId)) ?? null),
  }
}
