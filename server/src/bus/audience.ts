/** Other nodes that listen to jobs, as the node that tells them knows them. */
import type { Job } from '../core/job.ts'

/** A node that listens says so this often, and is believed three times as long. */
export const LISTENING_MS = 5_000
/** Changes that are told, at about 20 us on either side; as many may be told at once. */
const JOBS_PER_SECOND = 2_000
/** How long others may go without a word of what was left out. */
const MISSED_MS = 1_000

export interface Audience {
  /** another node says that it listens */
  isThere(): void
  /** those of the jobs that are to be told to others */
  admit(jobs: Job[]): Job[]
  close(): void
}

/** `onMissed` is called when somebody listens who has not been told of everything. */
export function createAudience(onMissed: () => void): Audience {
  let thereUntil = -Infinity
  let room = JOBS_PER_SECOND
  let roomAt = -Infinity
  let missed = false
  let timer: NodeJS.Timeout | undefined

  const tellMissed = (): void => {
    timer = undefined
    if (!missed || performance.now() >= thereUntil) return
    missed = false
    onMissed()
  }
  return {
    isThere() {
      const isNew = performance.now() >= thereUntil
      thereUntil = performance.now() + 3 * LISTENING_MS
      if (isNew) tellMissed()
    },
    admit(jobs) {
      const now = performance.now()
      if (now >= thereUntil) {
        missed = true
        return []
      }
      room = Math.min(JOBS_PER_SECOND, room + ((now - roomAt) * JOBS_PER_SECOND) / 1000)
      roomAt = now
      const told = jobs.slice(0, room)
      room -= told.length
      if (told.length < jobs.length) {
        missed = true
        timer ??= setTimeout(tellMissed, MISSED_MS).unref()
      }
      return told
    },
    close: () => clearTimeout(timer),
  }
}
