import type { Job } from '../core/job.ts'
import type { Running } from './running.ts'

/** Often enough to look alive, rare enough that a thousand chatty jobs cost five messages a second. */
const EVERY_MS = 200

/** Latest progress per job wins; told together at a fixed rate, and never written to a table. */
export interface Progress {
  update(updates: { jobId: string; fraction: number }[]): void
  stop(): void
}

export function createProgress(running: Running, announce: (jobs: Job[]) => void): Progress {
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined

  const tell = (): void => {
    timer = undefined
    const jobs = [...changed].flatMap((id) => running.get(id)?.job ?? [])
    changed.clear()
    announce(jobs)
  }
  return {
    update(updates) {
      for (const { jobId, fraction } of updates) {
        const entry = running.get(jobId)
        if (!entry) continue
        entry.job = { ...entry.job, progress: fraction }
        changed.add(jobId)
      }
      if (changed.size > 0) timer ??= setTimeout(tell, EVERY_MS)
    },
    stop: () => clearTimeout(timer),
  }
}
