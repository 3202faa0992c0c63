import { setTimeout as sleep } from 'node:timers/promises'
import { HeddleError } from '../core/errors.ts'
import { log } from '../log.ts'

/** Writes that outlive an outage of the database in this process's memory. */
export interface Persist {
  /** Again and again while the database is away; `count` results wait for it. */
  write<T>(count: number, write: () => Promise<T>): Promise<T>
  /** No more from here on: what then fails stays so. */
  abandon(): void
}

export function createPersist(): Persist {
  const abandoned = new AbortController()
  return {
    async write(count, write) {
      for (;;) {
        try {
          return await write()
        } catch (error) {
          const { signal } = abandoned
          const passes = error instanceof HeddleError && error.code === 'STORE_UNAVAILABLE'
          if (!passes || signal.aborted) throw error
          log.warn({ count, error: error.message }, 'results wait for the database')
          await sleep(error.retryAfterMs ?? 1000, null, { signal }).catch(() => {})
        }
      }
    },
    abandon: () => abandoned.abort(),
  }
}
