import type { Bus } from '../../bus/bus.ts'
import type { Job } from '../../core/job.ts'
import { log } from '../../log.ts'
import type { Read } from '../../store/read.ts'

/** Where changes may have been missed, it is often told by several nodes at about the same time. */
const LOOK_AGAIN_MS = 100
/** Where that could not be read. */
const TRY_AGAIN_MS = 2_000
/** Jobs read by one statement. */
const BATCH = 500

export interface JobListener {
  changed(job: Job): void
  /** read anew, because changes may have been missed: not later than those heard, perhaps earlier */
  found(job: Job): void
}

/** Hears and reads once for all who watch one job each: a change costs the same for any number of them. */
export interface JobNews {
  subscribe(id: string, listener: JobListener): () => void
}

export function createJobNews(bus: Pick<Bus, 'subscribe'>, read: Pick<Read, 'jobs'>): JobNews {
  const listeners = new Map<string, Set<JobListener>>()
  let unsubscribe: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined

  const readAnew = async (): Promise<void> => {
    const ids = [...listeners.keys()]
    for (let from = 0; from < ids.length; from += BATCH) {
      const found = await read.jobs(ids.slice(from, from + BATCH))
      for (const job of found.values()) {
        for (const listener of listeners.get(job.id) ?? []) listener.found(job)
      }
    }
  }
  const lookAgain = (inMs: number): void => {
    if (listeners.size === 0) return
    timer ??= setTimeout(() => {
      timer = undefined
      readAnew().catch((error: unknown) => {
        log.warn({ error }, 'watched jobs could not be read')
        lookAgain(TRY_AGAIN_MS)
      })
    }, inMs)
  }
  const begin = (): void => {
    unsubscribe = [
      bus.subscribe('jobs', (jobs) => {
        for (const job of jobs) {
          for (const listener of listeners.get(job.id) ?? []) listener.changed(job)
        }
      }),
      bus.subscribe('wake', ({ nodeId }) => {
        if (nodeId === null) lookAgain(LOOK_AGAIN_MS)
      }),
    ]
  }
  const end = (): void => {
    clearTimeout(timer)
    timer = undefined
    for (const off of unsubscribe.splice(0)) off()
  }

  return {
    subscribe(id, listener) {
      if (listeners.size === 0) begin()
      const known = listeners.get(id) ?? new Set()
      listeners.set(id, known.add(listener))
      return () => {
        if (!known.delete(listener) || known.size > 0) return
        listeners.delete(id)
        if (listeners.size === 0) end()
      }
    },
  }
}
