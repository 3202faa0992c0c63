import type { Job } from '../../core/job.ts'

export interface JobBuffer {
  add(job: Job): void
  /** the oldest change not yet taken */
  take(): Job | undefined
  readonly size: number
}

/**
 * Changes that a subscriber has not read yet. While it keeps up, it gets every one in order. Past
 * `limit` changes only the latest of each job is kept, and past `limit` jobs the oldest is dropped:
 * a slow reader costs bounded memory and learns the present, not the whole past.
 */
export function createJobBuffer(limit: number): JobBuffer {
  const pending = new Map<string | number, Job>()
  let latestOnly = false
  let sequence = 0

  const coalesce = (): void => {
    const jobs = [...pending.values()]
    pending.clear()
    latestOnly = true
    for (const job of jobs) addLatest(job)
  }
  const addLatest = (job: Job): void => {
    // Deleted first, so that the job moves to the end: order among the latest states stays true.
    pending.delete(job.id)
    pending.set(job.id, job)
    if (pending.size > limit) dropOldest()
  }
  const dropOldest = (): Job | undefined => {
    for (const [key, job] of pending) {
      pending.delete(key)
      return job
    }
    return undefined
  }

  return {
    add(job) {
      if (!latestOnly && pending.size >= limit) coalesce()
      if (latestOnly) addLatest(job)
      else pending.set(sequence++, job)
    },
    take() {
      const job = dropOldest()
      if (pending.size === 0) latestOnly = false
      return job
    },
    get size() {
      return pending.size
    },
  }
}
