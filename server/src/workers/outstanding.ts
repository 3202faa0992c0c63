import type { Outcome } from '../core/outcome.ts'
import type { WorkItem, WorkOrder, WorkResult } from './worker.ts'

interface Entry {
  item: WorkItem
  order: Placed
}

interface Placed {
  /** threads it was counted on */
  seats: number[]
  givenAt: number
  /** items without an answer, in their order */
  left: Map<string, WorkItem>
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

export function createOutstanding(threads: number): Outstanding {
  const entries = new Map<string, Entry>()
  const seats: (Placed | null)[] = Array.from({ length: threads }, () => null)

  const remove = (jobId: string): void => {
    const entry = entries.get(jobId)
    if (!entry) return
    const { order } = entry
    entries.delete(jobId)
    order.left.delete(jobId)
    if (order.left.size === 0) for (const seat of order.seats) seats[seat] = null
  }

  return {
    add(orders) {
      for (const { width, items } of orders) {
        const free = seats.flatMap((placed, seat) => (placed ? [] : [seat])).slice(0, width)
        if (free.length < width) {
          throw new Error(`${width} threads of work were given with ${free.length} threads free`)
        }
        const order: Placed = { seats: free, givenAt: now(), left: new Map() }
        for (const item of items) {
          order.left.set(item.jobId, item)
          entries.set(item.jobId, { item, order })
        }
        for (const seat of free) seats[seat] = order
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
        let first = true
        for (const item of [...order.left.values()]) {
          if (except.has(item.jobId)) continue
          const outcome: Outcome = first ? ran : { kind: 'interrupted' }
          first = false
          remove(item.jobId)
          results.push({
            jobId: item.jobId,
            attempt: item.attempt,
            outcome,
            startedAt: order.givenAt,
            finishedAt: at,
          })
        }
      }
      return results
    },
    busy: () =>
      seats.map((placed) => {
        const [first] = placed?.left.keys() ?? []
        return first ?? null
      }),
  }
}
