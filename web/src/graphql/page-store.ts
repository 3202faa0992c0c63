/** State outside React that a page reads, and that is at work only while somebody looks. */
export interface PageStore<State> {
  /** for useSyncExternalStore; the first listener starts the work and the last one ends it */
  subscribe(listener: () => void): () => void
  snapshot(): State
}

/** `start` gets a way to change the state and returns the way to stop. */
export function createPageStore<State>(
  initial: State,
  start: (change: (step: (state: State) => State) => void) => () => void,
): PageStore<State> {
  const listeners = new Set<() => void>()
  let state = initial
  let stop: (() => void) | undefined
  const change = (step: (state: State) => State): void => {
    const next = step(state)
    if (next === state) return
    state = next
    for (const listener of listeners) listener()
  }
  return {
    subscribe(listener) {
      listeners.add(listener)
      stop ??= start(change)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        stop?.()
        stop = undefined
      }
    },
    snapshot: () => state,
  }
}
