import type { Bus } from '../bus/bus.ts'
import type { Job } from '../core/job.ts'
import type { JobCache } from '../store/cache/cache.ts'

/** Tells cache and bus of committed changes. Both are hints, so nothing here can fail a job. */
export type Announce = (jobs: Job[]) => void

export function createAnnounce(bus: Bus, cache: JobCache): Announce {
  return (jobs) => {
    if (jobs.length === 0) return
    void cache.put(jobs)
    bus.publish('jobs', jobs)
  }
}
