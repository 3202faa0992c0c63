import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JobRowFragment } from '../graphql/generated/graphql.ts'
import { fakeClient } from '../testing/client.ts'
import { createFakeConnection, type FakeConnection } from '../testing/connection.ts'
import { job } from '../testing/jobs.ts'
import { createHistory, MAX_HELD, type HistoryStore } from './history-store.ts'

const START = Date.parse('2026-03-01T12:00:00.000Z')
/** The nth job to end. */
const ended = (n: number): JobRowFragment =>
  job({ id: `job ${n}`, state: 'COMPLETED', finishedAt: new Date(START + n).toISOString() })
const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index)

describe('the history', () => {
  let connection: FakeConnection
  let store: HistoryStore
  let stop: () => void
  /** what the server has, last ended first */
  let stored: JobRowFragment[]
  let reads: number

  const rows = (): string[] => store.snapshot().rows.map(({ id }) => id)
  const end = (...which: number[]): void => {
    for (const n of which) {
      stored.unshift(ended(n))
      connection.emit({ jobsUpdated: { jobs: [ended(n)], incomplete: false } })
    }
  }
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1_000)

  beforeEach(async () => {
    vi.useFakeTimers()
    stored = numbers(150).map(ended).reverse()
    reads = 0
    const client = fakeClient(({ variables }) => {
      reads += 1
      const { first, after } = variables as { first: number; after: string | null }
      const from = after === null ? 0 : stored.findIndex(({ id }) => id === after) + 1
      const nodes = stored.slice(from, from + first)
      const hasNextPage = from + first < stored.length
      return {
        data: { history: { nodes, pageInfo: { endCursor: nodes.at(-1)?.id, hasNextPage } } },
      }
    })
    connection = createFakeConnection(client)
    store = createHistory(connection, {})
    stop = store.subscribe(() => undefined)
    await settle()
  })
  afterEach(() => {
    stop()
    vi.useRealTimers()
  })

  it('is read by pages, and every job is in it once', async () => {
    expect(rows()).toHaveLength(100)
    store.loadOlder()
    store.loadOlder()
    await settle()
    expect(rows()).toEqual(stored.map(({ id }) => id))
    store.loadOlder()
    await settle()
    expect(reads).toBe(2)
  })

  it('puts jobs on top as they end', async () => {
    end(200, 201)
    await settle()
    expect(rows().slice(0, 3)).toEqual(['job 201', 'job 200', 'job 149'])
  })

  it('has the jobs that ended while it was read', async () => {
    let answer = (): void => undefined
    const asked = new Promise<void>((resolve) => (answer = resolve))
    const slow = createFakeConnection(
      fakeClient(async () => {
        await asked
        const pageInfo = { endCursor: null, hasNextPage: false }
        return { data: { history: { nodes: [ended(1)], pageInfo } } }
      }),
    )
    const other = createHistory(slow, {})
    const stopOther = other.subscribe(() => undefined)
    slow.emit({ jobsUpdated: { jobs: [ended(2)], incomplete: false } })
    await settle()
    answer()
    await settle()
    expect(other.snapshot().rows.map(({ id }) => id)).toEqual(['job 2', 'job 1'])
    stopOther()
  })

  it('holds newer jobs back while the top is out of sight, and says how many', async () => {
    store.follow(false)
    end(200, 201)
    await settle()
    expect(rows()[0]).toBe('job 149')
    expect(store.snapshot().newer).toBe(2)
    store.follow(true)
    expect(rows().slice(0, 3)).toEqual(['job 201', 'job 200', 'job 149'])
    expect(store.snapshot().newer).toBe(0)
  })

  it('reads the top anew where it has held back as many as it can, or missed some', async () => {
    store.follow(false)
    end(...numbers(MAX_HELD + 1, 200))
    await settle()
    expect(store.snapshot().newer).toBe(MAX_HELD)
    expect(reads).toBe(1)
    store.follow(true)
    await settle()
    expect(reads).toBe(2)
    expect(rows()).toEqual(stored.slice(0, 100).map(({ id }) => id))

    store.follow(false)
    connection.emit({ jobsUpdated: { jobs: [], incomplete: true } })
    await settle()
    expect(reads).toBe(2)
    store.follow(true)
    await settle()
    expect(reads).toBe(3)
  })

  it('does not grow for ever, and loses nothing by it', async () => {
    for (let from = 1_000; from < 6_000; from += 500) {
      end(...numbers(500, from))
      await settle()
      expect(rows().length).toBeLessThanOrEqual(2_000)
      expect(rows()[0]).toBe(`job ${from + 499}`)
    }
    store.follow(false)
    await settle()
    while (rows().length < 1_000) {
      store.loadOlder()
      await settle()
    }
    expect(rows()).toEqual(stored.slice(0, 1_000).map(({ id }) => id))
  })
})
