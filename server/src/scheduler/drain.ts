import type { Running } from './running.ts'

const LOOK_MS = 20

/** The wait for running jobs at shutdown. */
export interface Drain {
  /** Resolves when nothing runs, when the deadline passes, or when somebody hurries. */
  wait(deadlineMs: number): Promise<void>
  hurry(): void
}

export function createDrain(running: Running): Drain {
  let end: () => void = () => {}
  return {
    wait: (deadlineMs) =>
      new Promise((resolve) => {
        if (running.size === 0) {
          resolve()
          return
        }
        const look = setInterval(() => running.size === 0 && end(), LOOK_MS)
        const deadline = setTimeout(() => end(), deadlineMs)
        end = () => {
          clearInterval(look)
          clearTimeout(deadline)
          resolve()
        }
      }),
    hurry: () => end(),
  }
}
