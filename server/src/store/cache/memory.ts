import { isFinal, type Job } from '../../core/job.ts'
import type { JobCache } from './cache.ts'

/** Beyond them a lookup asks the table. Dropping the oldest instead would walk over all that have left. */
const MAX_JOBS = 10_000

/**
 * Jobs that were queued here, and those that have told of their progress, which is in no table. Others that only
 * run here are left to the table: most of them end before anybody asks, and keeping them took a thirtieth of a
 * drain's time.
 */
export function createMemoryCache(maxJobs = MAX_JOBS): JobCache {
  const jobs = new Map<string, Job>()
  const keep = (changed: readonly Job[]): void => {
    for (const job of changed) {
      if (isFinal(job.state)) jobs.delete(job.id)
      else if (jobs.has(job.id) || (isWorthIt(job) && jobs.size < maxJobs)) jobs.set(job.id, job)
    }
  }
  return {
    get: (id) => Promise.resolve(jobs.get(id) ?? null),
    add: keep,
    put: (changed) => Promise.resolve(keep(changed)),
    healthy: () => true,
    close() {
      jobs.clear()
      return Promise.resolve()
    },
  }
}

const isWorthIt = ({ state, progress }: Job): boolean => state !== 'RUNNING' || progress !== null
