import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Job } from '../core/job.ts'
import { compareRank } from '../core/rank.ts'
import { runningJob } from '../core/testing.ts'
import { createWindow, type Window } from './window.ts'

const job = (rank: number, id: string): Job => runningJob({ id, rank, state: 'QUEUED' })
/** Reads the table when nothing else happens. */
const fill = (window: Window, rows: Job[]): void => {
  window.startRefill()
  window.refill(rows)
}
const ids = (window: Window) => [...window.queue].map(({ id }) => id)

describe('window of the queue', () => {
  it('asks to be filled before anything is planned on it', () => {
    const window = createWindow(10)
    expect(window.isBlind()).toBe(true)
    fill(window, [])
    expect(window.isBlind()).toBe(false)
  })

  it('takes in a new job only where none that ranks before it could be missing', () => {
    const window = createWindow(2)
    fill(window, [job(1, 'a'), job(5, 'b')])
    window.offer([job(3, 'between'), job(9, 'beyond')])
    expect(ids(window)).toEqual(['a', 'between', 'b'])
  })

  it('takes in every new job while it holds the whole queue', () => {
    const window = createWindow(10)
    fill(window, [job(1, 'a')])
    window.offer([job(9, 'last')])
    expect(ids(window)).toEqual(['a', 'last'])
  })

  it('asks again when it has run empty and there may be more', () => {
    const window = createWindow(1)
    fill(window, [job(1, 'a')])
    expect(window.take('a')).toMatchObject({ id: 'a' })
    expect(window.take('a')).toBeUndefined()
    expect(window.isBlind()).toBe(true)
  })

  it('asks again after something changed behind its back', () => {
    const window = createWindow(10)
    fill(window, [job(1, 'a')])
    window.markStale()
    expect(window.isBlind()).toBe(true)
  })

  it('keeps what is offered while the table is read, which the rows may not have yet', () => {
    const window = createWindow(10)
    window.startRefill()
    window.offer([job(2, 'new')])
    window.refill([job(1, 'a')])
    expect(ids(window)).toEqual(['a', 'new'])
    expect(window.isBlind()).toBe(false)
  })

  it('asks again after something changed behind its back while the table was read', () => {
    const window = createWindow(10)
    window.startRefill()
    window.markStale()
    window.refill([job(1, 'a')])
    expect(window.isBlind()).toBe(true)
  })

  it('reads on behind what it holds, before it is empty, and forgets nothing that came meanwhile', () => {
    const window = createWindow(4)
    fill(window, [job(1, 'a'), job(2, 'b'), job(3, 'c'), job(4, 'd')])
    expect(window.runsLow()).toBe(false)
    window.take('a')
    window.take('b')
    expect(window.runsLow()).toBe(true)
    expect(window.startRefill()).toMatchObject({ after: { id: 'd' }, limit: 4 })
    window.offer([job(6, 'new')])
    window.take('c')
    window.refill([job(5, 'e'), job(7, 'f'), job(8, 'g'), job(9, 'h')])
    expect(ids(window)).toEqual(['d', 'e', 'new', 'f', 'g', 'h'])
  })

  it('reads fewer rows when it is read again before many of them were taken', () => {
    const window = createWindow(1000)
    const rows = Array.from({ length: 1000 }, (_, n) => job(n, String(n)))
    fill(window, rows)
    for (const { id } of rows.slice(0, 300)) window.take(id)
    window.markStale()
    expect(window.startRefill()).toMatchObject({ after: null, limit: 600 })
    window.refill(rows.slice(300, 900))
    window.take('300')
    window.markStale()
    const { limit } = window.startRefill()
    expect(limit).toBeLessThan(600)
    window.refill(rows.slice(301, 301 + limit))
    expect([window.isBlind(), window.runsLow()]).toEqual([false, false])
  })

  it('takes nothing in again that was taken out while the table was read, or is being claimed', () => {
    const window = createWindow(10)
    fill(window, [job(1, 'a'), job(2, 'b')])
    window.markStale()
    expect(window.startRefill([job(0, 'claimed')])).toMatchObject({ after: null })
    window.take('a')
    window.refill([job(0, 'claimed'), job(1, 'a'), job(2, 'b')])
    expect(ids(window)).toEqual(['b'])
  })

  it('takes in one that came back while the table was read', () => {
    const window = createWindow(10)
    window.startRefill([job(1, 'a')])
    window.offer([job(1, 'a')])
    window.refill([job(1, 'a')])
    expect(ids(window)).toEqual(['a'])
  })

  it('never grows past twice its capacity, and always holds the best of the queue', () => {
    const capacity = 5
    const ranks = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 100 })
    fc.assert(
      fc.property(ranks, ranks, (inTable, arriving) => {
        const table = inTable.map((rank, n) => job(rank, `t${n}`)).sort(compareRank)
        const window = createWindow(capacity)
        fill(window, table.slice(0, capacity))
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
