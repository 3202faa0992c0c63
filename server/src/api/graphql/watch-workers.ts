import type { Bus } from '../../bus/bus.ts'
import { createFeed } from './feed.ts'

/**
 * Ticks at once, then after each change of any worker, at most once per `periodMs`. The tick after
 * the last change is never lost.
 */
export function watchWorkers(bus: Bus, periodMs: number): AsyncIterableIterator<'changed'> {
  let due = true
  let changed = false
  let pause: NodeJS.Timeout | undefined

  const feed = createFeed<'changed'>(
    () => {
      if (!due) return undefined
      due = false
      pause = setTimeout(() => {
        pause = undefined
        if (!changed) return
        changed = false
        due = true
        feed.wake()
      }, periodMs)
      return 'changed'
    },
    () => {
      clearTimeout(pause)
      unsubscribe()
    },
  )
  const unsubscribe = bus.subscribe('workers', () => {
    if (pause) changed = true
    else {
      due = true
      feed.wake()
    }
  })
  return feed.iterator
}
