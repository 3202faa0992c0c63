import type { Job } from '../core/job.ts'
import { compareRank } from '../core/rank.ts'
import type { Running } from './running.ts'

/**
 * Jobs that were called back from threads they had not begun on. Until they are in the table as queued again
 * they cannot be claimed, and yet they are as good as in the queue: nothing behind them is to start meanwhile.
 */
export interface Recalls {
  add(jobs: Iterable<Job>): void
  /** the best-ranked of those that are on their way back; null for none */
  best(): Job | null
  /** What may start of a queue: nothing behind them. To be walked any number of times. */
  startable(queue: Iterable<Job>): Iterable<Job>
  /** The table says what has become of it. False where it was not on its way. */
  settled(id: string): boolean
}

export interface RecallsOptions {
  running: Pick<Running, 'get'>
  /** ended here, but perhaps not yet in the table */
  isSettling(id: string): boolean
}

export function createRecalls({ running, isSettling }: RecallsOptions): Recalls {
  const jobs = new Map<string, Job>()

  /** One that was begun with before it was called back stays where it is, and is soon the first of its slot. */
  const isOnItsWay = (id: string): boolean => {
    const entry = running.get(id)
    if (!entry) return isSettling(id)
    const [atWork] = entry.slot.orders
    return entry.order !== atWork
  }

  const best = (): Job | null => {
    for (;;) {
      const found = bestOf(jobs.values())
      if (!found || isOnItsWay(found.id)) return found
      jobs.delete(found.id)
    }
  }

  return {
    add(recalled) {
      for (const job of recalled) jobs.set(job.id, job)
    },
    best,
    startable(queue) {
      const last = best()
      // Not a generator itself: the planner walks it, and then the batches do from the beginning again.
      return last ? { [Symbol.iterator]: () => ahead(queue, last) } : queue
    },
    settled: (id) => jobs.delete(id),
  }
}

function bestOf(jobs: Iterable<Job>): Job | null {
  let best: Job | null = null
  for (const job of jobs) if (!best || compareRank(job, best) < 0) best = job
  return best
}

/** The part of a queue that ranks before a job. */
function* ahead(queue: Iterable<Job>, of: Job): Generator<Job> {
  for (const job of queue) {
    if (compareRank(job, of) > 0) return
    yield job
  }
}
