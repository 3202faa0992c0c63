import { describe, expect, it, vi } from 'vitest'
import { createPageStore } from './page-store.ts'

type Change = (step: (state: number) => number) => void

function makeStore() {
  const stop = vi.fn()
  const starts: Change[] = []
  const store = createPageStore(0, (change: Change) => {
    starts.push(change)
    return stop
  })
  return { store, starts, stop }
}

describe('a page store', () => {
  it('works while somebody listens, and only once for all of them', () => {
    const { store, starts, stop } = makeStore()
    expect(starts).toHaveLength(0)
    const leave = [store.subscribe(() => undefined), store.subscribe(() => undefined)]
    expect(starts).toHaveLength(1)
    leave[0]?.()
    expect(stop).not.toHaveBeenCalled()
    leave[1]?.()
    expect(stop).toHaveBeenCalledOnce()
    store.subscribe(() => undefined)
    expect(starts).toHaveLength(2)
  })

  it('tells everybody of a change, and nobody of none', () => {
    const { store, starts } = makeStore()
    const listeners = [vi.fn(), vi.fn()]
    for (const listener of listeners) store.subscribe(listener)
    starts[0]?.((state) => state + 1)
    expect(store.snapshot()).toBe(1)
    starts[0]?.((state) => state)
    for (const listener of listeners) expect(listener).toHaveBeenCalledOnce()
  })
})
