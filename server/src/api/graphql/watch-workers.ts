import type { Bus } from '../../bus/bus.ts'
import { createPeriodicFeed } from './feed.ts'
import type { Pace } from './pace.ts'

/**
 * Ticks at once, then after each change of any worker, at most once per `periodMs`. The tick after
 * the last change is never lost.
 */
export function watchWorkers(
  bus: Bus,
  pace: Pace,
  periodMs: number,
): AsyncIterableIterator<'changed'> {
  let due = true
  const feed = createPeriodicFeed<'changed'>(periodMs, {
    pace,
    take() {
      if (!due) return undefined
      due = false
      return 'changed'
    },
    onClose: () => unsubscribe(),
  })
  const unsubscribe = bus.subscribe('workers', () => {
    due = true
    feed.wake()
  })
  return feed.iterator
}
