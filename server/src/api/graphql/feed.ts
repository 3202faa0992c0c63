/**
 * An async iterator that pulls from its source when somebody waits for it. Unlike an async generator
 * it ends at once when its reader goes away, even while it waits for news.
 */
export interface Feed<T> {
  iterator: AsyncIterableIterator<T>
  /** the source may have something to take */
  wake(): void
  close(): void
}

export function createFeed<T>(take: () => T | undefined, onClose: () => void): Feed<T> {
  const waiting: ((result: IteratorResult<T>) => void)[] = []
  let closed = false

  const wake = (): void => {
    while (waiting.length > 0) {
      const value = take()
      if (value === undefined) return
      waiting.shift()?.({ value, done: false })
    }
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
