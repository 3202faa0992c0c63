import type { Store } from '../store/open.ts'
import type { Running, Slot } from './running.ts'
import type { Window } from './window.ts'

/** Jobs that wait per thread, at least, for threads to get what comes next: one, or several. */
const LEAST_WAITING = 4
const MANY_WAITING = 25
/**
 * A thread that is expected to be free within this gets what comes next, and with it those that will be soon
 * after: one claim serves them all.
 */
const SOON_MS = 30
const SOON_AFTER_MS = 100

/** Which threads at work get what comes next before they are free: docs/decisions/0008. */
export interface Ahead {
  /**
   * How many jobs a thread may have as what comes next. Near the end of the queue it is one and at the very end
   * none: no thread of the cluster goes without, and the last jobs to wait can still be passed by better ones.
   */
  limit(): number
  /** Those that will be free soon after each other, the first of them first; none before that one is due. */
  due(): Slot[]
  /** ms until the next one is; Infinity where none is known to be, below 0 where one has been */
  dueInMs(): number
}

export interface AheadOptions {
  window: Pick<Window, 'isWhole' | 'queue'>
  running: Pick<Running, 'slots'>
  clock: Store['clock']
  clusterThreads(): number
}

export function createAhead({ window, running, clock, clusterThreads }: AheadOptions): Ahead {
  const limit = (): number => {
    const perThread = window.isWhole() ? window.queue.size / clusterThreads() : Infinity
    if (perThread < LEAST_WAITING) return 0
    return perThread < MANY_WAITING ? 1 : Infinity
  }
  const open = (): Slot[] =>
    limit() < 1
      ? []
      : [...running.slots()].filter(
          ({ takesNext, awaited, orders }) => takesNext && awaited + orders.length < 2,
        )
  return {
    limit,
    due() {
      const now = clock.now()
      const soon = open()
        .filter(({ endsAt }) => endsAt <= now + SOON_AFTER_MS)
        .sort((a, b) => a.endsAt - b.endsAt)
      return soon[0] && soon[0].endsAt <= now + SOON_MS ? soon : []
    },
    dueInMs: () => Math.min(...open().map(({ endsAt }) => endsAt)) - SOON_MS - clock.now(),
  }
}
