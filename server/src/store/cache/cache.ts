import type { Job } from '../../core/job.ts'

/** Active jobs by id, for lookups that spare Postgres. Losing it loses nothing: a miss is answered by the table. */
export interface JobCache {
  get(id: string): Promise<Job | null>
  /** stores each job, or leaves it to the table; drops it where it has ended; one round trip, never throws */
  put(jobs: readonly Job[]): Promise<void>
  healthy(): boolean
  close(): Promise<void>
}
