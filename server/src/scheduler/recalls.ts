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

  return {
    add(recalled) {
      for (const job of recalled) jobs.set(job.id, job)
    },
    best() {
      for (;;) {
        const best = bestOf(jobs.values())
        if (!best || isOnItsWay(best.id)) return best
        jobs.delete(best.id)
      }
    },
    settled: (id) => jobs.delete(id),
  }
}

function bestOf(jobs: Iterable<Job>): Job | null {
  let best: Job | null = null
  for (const job of jobs) if (!best || compareRank(job, best) < 0) best = job
  return best
}
