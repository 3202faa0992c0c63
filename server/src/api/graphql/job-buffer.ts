import type { Job } from '../../core/job.ts'

export interface JobBuffer {
  add(job: Job): void
  /** the oldest change not yet taken */
  take(): Job | undefined
  readonly size: number
}

/**
 * Changes that a subscriber has not read yet. While it keeps up, it gets every one in order. Of more than twice
 * `limit` changes only the latest of each job is kept, and of those jobs the last `limit`: a slow reader costs bounded
 * memory and learns the present, not the whole past.
 */
export function createJobBuffer(limit: number): JobBuffer {
  let changes: Job[] = []
  /** how many of them have been taken */
  let taken = 0

  // All at once and from the end: to move each changed job to the end of a map took ten times as long, which every
  // reader that is behind cost the whole node.
  const keepLatest = (): void => {
    const latest: Job[] = []
    const seen = new Set<string>()
    for (let at = changes.length - 1; at >= taken && latest.length < limit; at -= 1) {
      const job = changes[at]
      if (!job || seen.has(job.id)) continue
      seen.add(job.id)
      latest.push(job)
    }
    changes = latest.reverse()
    taken = 0
  }
  const dropTaken = (): void => {
    changes = changes.slice(taken)
    taken = 0
  }

  return {
    add(job) {
      changes.push(job)
      if (changes.length - taken > 2 * limit) keepLatest()
    },
    take() {
      const job = changes[taken]
      if (!job) return undefined
      taken += 1
      if (taken === changes.length || taken > limit) dropTaken()
      return job
    },
    get size() {
      return changes.length - taken
    },
  }
}
