import type { Bus } from '../bus/bus.ts'
import type { Job } from '../core/job.ts'
import type { JobCache } from '../store/cache/cache.ts'

/** Tells cache and bus of committed changes. Both are hints, so nothing here can fail a job. */
export interface Announce {
  /** jobs that are in the table for the first time */
  accepted(jobs: Job[]): void
  changed(jobs: Job[]): void
}

export const createAnnounce = (bus: Bus, cache: JobCache): Announce => ({
  accepted(jobs) {
    if (jobs.length === 0) return
    cache.add(jobs)
    bus.publish('jobs', jobs)
  },
  changed(jobs) {
    if (jobs.length === 0) return
    // First, so that who hears of a change and asks for the job does not get what it was before.
    void cache.put(jobs)
    bus.publish('jobs', jobs)
  },
})
