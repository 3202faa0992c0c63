import { toError } from '../core/errors.ts'
import { log } from '../log.ts'

/** Something done again and again until it is stopped. Safe to stop twice, or before it started. */
export interface Loop {
  start(): void
  /** do it now, and count the interval from here */
  nudge(): void
  /** resolves when a run that was under way has ended */
  stop(): Promise<void>
}

/** Runs `task` every `intervalMs`, counted from the end of the run before. An error is logged and does not end the loop. */
export function createLoop(name: string, intervalMs: number, task: () => Promise<unknown>): Loop {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | null = null
  let again = false
  let stopped = true

  const run = async (): Promise<void> => {
    try {
      await task()
    } catch (error) {
      log.warn({ loop: name, error: toError(error).message }, 'a periodic task failed')
    }
  }
  const tick = (): void => {
    clearTimeout(timer)
    if (running) {
      again = true
      return
    }
    running = run().then(() => {
      running = null
      if (stopped) return
      if (again) {
        again = false
        tick()
      } else timer = setTimeout(tick, intervalMs)
    })
  }

  return {
    start() {
      if (!stopped) return
      stopped = false
      timer = setTimeout(tick, intervalMs)
    },
    nudge() {
      if (!stopped) tick()
    },
    async stop() {
      stopped = true
      again = false
      clearTimeout(timer)
      await running
    },
  }
}
