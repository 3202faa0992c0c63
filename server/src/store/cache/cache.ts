import type { Job } from '../../core/job.ts'

/** Active jobs by id, for lookups that spare Postgres. Losing it loses nothing: a miss is answered by the table. */
export interface JobCache {
  get(id: string): Promise<Job | null>
  /** takes jobs that this node has just put in the table, or leaves them to it */
  add(jobs: readonly Job[]): void
  /** what was known of each is over at once; stores it, or leaves it to the table; one round trip, never throws */
  put(jobs: readonly Job[]): Promise<void>
  healthy(): boolean
  close(): Promise<void>
}
