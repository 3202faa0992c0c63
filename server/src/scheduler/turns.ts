import type { QueueOrder } from '../core/rank.ts'
import { giveTurns } from '../store/fair-share.ts'
import type { Store } from '../store/open.ts'
import { createLoop } from './loop.ts'

/** Between two looks, however often somebody asks: jobs without a turn start meanwhile if threads are free. */
const PAUSE_MS = 20
/** What another node put in the table, or left half done, is found by then. */
const LOOK_MS = 20_000

/** Fair share: gives waiting jobs their turns. Any node does it for all; does nothing where it is off. */
export interface Turns {
  /** jobs were queued, or left the queue */
  kick(): void
  start(): void
  stop(): Promise<void>
}

export function createTurns(store: Store, order: QueueOrder, onGiven: () => void): Turns {
  const loop = createLoop('turns', LOOK_MS, async () => {
    if ((await giveTurns(store, order.agingMs)) > 0) onGiven()
  })
  let pause: NodeJS.Timeout | undefined
  return {
    kick() {
      if (!order.fairShare) return
      pause ??= setTimeout(() => {
        pause = undefined
        loop.nudge()
      }, PAUSE_MS)
    },
    start() {
      if (order.fairShare) loop.start()
    },
    async stop() {
      clearTimeout(pause)
      await loop.stop()
    },
  }
}
