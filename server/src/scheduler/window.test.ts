import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { QueuedJob } from '../core/job.ts'
import { compareRank } from '../core/rank.ts'
import { createWindow, type Window } from './window.ts'

const job = (rank: number, id: string): QueuedJob => ({
  id,
  rank,
  type: 'add_numbers',
  gang: 1,
  threadDemand: 1,
  createdAt: 0,
})
/** Reads the table when nothing else happens. */
const fill = (window: Window, rows: QueuedJob[], limit: number): void => {
  window.startRefill()
  window.refill(rows, limit)
}
const ids = (window: Window) => [...window.queue].map(({ id }) => id)

describe('window of the queue', () => {
  it('asks to be filled before anything is planned on it', () => {
    const window = createWindow(10)
    expect(window.needsRefill()).toBe(true)
    fill(window, [], 10)
    expect(window.needsRefill()).toBe(false)
  })

  it('takes in a new job only where none that ranks before it could be missing', () => {
    const window = createWindow(10)
    fill(window, [job(1, 'a'), job(5, 'b')], 2)
    window.offer([job(3, 'between'), job(9, 'beyond')])
    expect(ids(window)).toEqual(['a', 'between', 'b'])
  })

  it('takes in every new job while it holds the whole queue', () => {
    const window = createWindow(10)
    fill(window, [job(1, 'a')], 2)
    window.offer([job(9, 'last')])
    expect(ids(window)).toEqual(['a', 'last'])
  })

  it('asks again when it has run empty and there may be more', () => {
    const window = createWindow(10)
    fill(window, [job(1, 'a')], 1)
    window.remove('a')
    expect(window.needsRefill()).toBe(true)
  })

  it('asks again after something changed behind its back', () => {
    const window = createWindow(10)
    fill(window, [job(1, 'a')], 10)
    window.markStale()
    expect(window.needsRefill()).toBe(true)
  })

  it('keeps what is offered while the table is read, which the rows may not have yet', () => {
    const window = createWindow(10)
    window.startRefill()
    window.offer([job(2, 'new')])
    window.refill([job(1, 'a')], 10)
    expect(ids(window)).toEqual(['a', 'new'])
    expect(window.needsRefill()).toBe(false)
  })

  it('asks again after something changed behind its back while the table was read', () => {
    const window = createWindow(10)
    window.startRefill()
    window.markStale()
    window.refill([job(1, 'a')], 10)
    expect(window.needsRefill()).toBe(true)
  })

  it('never grows past twice its capacity, and always holds the best of the queue', () => {
    const capacity = 5
    const ranks = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 100 })
    fc.assert(
      fc.property(ranks, ranks, (inTable, arriving) => {
        const table = inTable.map((rank, n) => job(rank, `t${n}`)).sort(compareRank)
        const window = createWindow(capacity)
        fill(window, table.slice(0, capacity), capacity)
        for (const [n, rank] of arriving.entries()) {
          const arrived = job(rank, `x${n}`)
          table.push(arrived)
          window.offer([arrived])
          expect(window.queue.size).toBeLessThanOrEqual(2 * capacity)
        }
        const held = [...window.queue]
        expect(held).toEqual(table.sort(compareRank).slice(0, held.length))
      }),
    )
  })
})
