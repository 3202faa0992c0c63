import type { Pace } from './pace.ts'

/**
 * An async iterator that pulls from its source when somebody waits for it and its turn has come. Unlike an async
 * generator it ends at once when its reader goes away, even while it waits for news.
 */
export interface Feed<T> {
  iterator: AsyncIterableIterator<T>
  /** the source may have something to take */
  wake(): void
  close(): void
}

export interface FeedOptions<T> {
  /** undefined where there is nothing */
  take(): T | undefined
  onClose(): void
  pace: Pace
}

export function createFeed<T>({ take, onClose, pace }: FeedOptions<T>): Feed<T> {
  const waiting: ((result: IteratorResult<T>) => void)[] = []
  let closed = false
  let hasAsked = false

  const tell = (): void => {
    hasAsked = false
    const value = waiting.length > 0 ? take() : undefined
    if (value === undefined) return
    waiting.shift()?.({ value, done: false })
    wake()
  }
  const wake = (): void => {
    if (hasAsked || waiting.length === 0) return
    hasAsked = true
    pace(tell)
  }
  const close = (): void => {
    if (closed) return
    closed = true
    onClose()
    for (const end of waiting.splice(0)) end({ value: undefined, done: true })
  }
  const iterator: AsyncIterableIterator<T> = {
    next() {
      if (closed) return Promise.resolve({ value: undefined, done: true })
      return new Promise((resolve) => {
        waiting.push(resolve)
        wake()
      })
    },
    return() {
      close()
      return Promise.resolve({ value: undefined, done: true })
    },
    throw(error: unknown) {
      close()
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return { iterator, wake, close }
}

/** The same, with a pause of `periodMs` after each value. What comes meanwhile is there to take at its end. */
export function createPeriodicFeed<T>(
  periodMs: number,
  { take, onClose, pace }: FeedOptions<T>,
): Feed<T> {
  let pause: NodeJS.Timeout | undefined
  const feed = createFeed<T>({
    pace,
    take() {
      const value = pause ? undefined : take()
      if (value === undefined) return undefined
      pause = setTimeout(() => {
        pause = undefined
        feed.wake()
      }, periodMs)
      return value
    },
    onClose() {
      clearTimeout(pause)
      onClose()
    },
  })
  return {
    ...feed,
    wake() {
      if (!pause) feed.wake()
    },
  }
}
