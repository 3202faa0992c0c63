import { MAX_TIMER_MS } from '../core/timer.ts'
import type { Job } from '../core/job.ts'
import type { Store } from '../store/open.ts'
import { promoteDue } from '../store/promote.ts'
import { createLoop } from './loop.ts'

/** How often the table is asked for due jobs that this node has not heard of itself. */
const LOOK_MS = 20_000

/**
 * Moves SCHEDULED jobs to QUEUED when their time has come. Any node does it for all; one that knows of
 * an earlier time (it took the submission, or failed the attempt) is there in time by a timer.
 */
export interface Delayed {
  /** a job of this node is due at `runAt` */
  expect(runAt: number): void
  /** somebody may have put a delayed job in the table */
  lookAgain(): void
  start(): void
  stop(): Promise<void>
}

export function createDelayed(store: Store, onPromoted: (jobs: Job[]) => void): Delayed {
  let timer: NodeJS.Timeout | undefined
  let expected = Infinity

  const look = createLoop('delayed', LOOK_MS, async () => {
    const { promoted, nextRunAt } = await promoteDue(store)
    if (promoted.length > 0) onPromoted(promoted)
    expected = Infinity
    if (nextRunAt !== null) expect(nextRunAt)
  })

  const expect = (runAt: number): void => {
    if (runAt >= expected) return
    expected = runAt
    clearTimeout(timer)
    const wait = Math.max(0, runAt - store.clock.now())
    timer = setTimeout(() => look.nudge(), Math.min(wait, MAX_TIMER_MS))
  }

  return {
    expect,
    lookAgain: () => look.nudge(),
    start: () => {
      look.start()
      look.nudge()
    },
    async stop() {
      clearTimeout(timer)
      await look.stop()
    },
  }
}
