import { describe, expect, it } from 'vitest'
import { createAhead } from './ahead.ts'
import type { Order, Slot } from './running.ts'

const NOW = 1_000_000
const order = (id: number): Order => ({ id, jobs: [], left: 1, first: 0 })
const slot = (workerName: string, endsInMs: number, fields: Partial<Slot> = {}): Slot =>
  ({
    ...{ workerName, width: 1, takesNext: true, awaited: 0, nextMs: 0, beganAt: NOW },
    endsAt: NOW + endsInMs,
    orders: [order(1)],
    ...fields,
  }) as Slot
const ahead = (slots: Slot[], { waiting = 1000, whole = true, clusterThreads = 2 } = {}) =>
  createAhead({
    window: { isWhole: () => whole, queue: { size: waiting } as never },
    running: { slots: () => slots },
    clock: { now: () => NOW } as never,
    clusterThreads: () => clusterThreads,
  })
const names = (slots: Slot[]): string[] => slots.map(({ workerName }) => workerName)

describe('what comes next', () => {
  it('is for no thread before one of them is soon to be free, then for all that will be shortly after', () => {
    expect(names(ahead([slot('a', 31), slot('b', 60)]).due())).toEqual([])
    const slots = [slot('late', 101), slot('b', 100), slot('a', 30)]
    expect(names(ahead(slots).due())).toEqual(['a', 'b'])
  })

  it('is told when the first thread will be due', () => {
    expect(ahead([slot('a', 80), slot('b', 200)]).dueInMs()).toBe(50)
    expect(ahead([slot('a', Infinity)]).dueInMs()).toBe(Infinity)
    expect(ahead([]).dueInMs()).toBe(Infinity)
  })

  it('is for no thread that has it, waits for it, or waited for it in vain', () => {
    const slots = [
      slot('has it', 0, { orders: [order(1), order(2)] }),
      slot('waits', 0, { awaited: 1 }),
      slot('in vain', 0, { takesNext: false }),
    ]
    expect(names(ahead(slots).due())).toEqual([])
    expect(ahead(slots).dueInMs()).toBe(Infinity)
  })

  it('is one job where few wait per thread of the cluster, and none where fewer do', () => {
    const limit = (waiting: number, clusterThreads: number): number =>
      ahead([slot('a', 0)], { waiting, clusterThreads }).limit()
    expect(limit(50, 2)).toBe(Infinity)
    expect(limit(49, 2)).toBe(1)
    expect(limit(8, 2)).toBe(1)
    expect(limit(7, 2)).toBe(0)
    expect(limit(8, 4)).toBe(0)
    expect(names(ahead([slot('a', 0)], { waiting: 7 }).due())).toEqual([])
    // How many wait behind a window that does not show all of them is not known, but it is many.
    expect(ahead([slot('a', 0)], { waiting: 1, whole: false }).limit()).toBe(Infinity)
  })
})
