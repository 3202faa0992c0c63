import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Bus } from '../../bus/bus.ts'
import { createMemoryBus } from '../../bus/memory.ts'
import { HeddleError } from '../../core/errors.ts'
import type { Job } from '../../core/job.ts'
import { newJob } from '../../../test/new-jobs.ts'
import { createFeed } from './feed.ts'
import { createJobNews } from './job-news.ts'
import { isEarlier } from './job-order.ts'
import { watchJob, watchJobs } from './job-updated.ts'
import { watchChanges } from './jobs-updated.ts'
import type { Pace } from './pace.ts'
import { watchWorkers } from './watch-workers.ts'

const job = (patch: Partial<Job> = {}): Job =>
  newJob({ id: 'a', createdAt: 1000, maxAttempts: 3, ...patch }).job

const newsOf = (bus: Bus) => createJobNews(bus, { jobs: () => Promise.resolve(new Map()) })
const atOnce: Pace = (turn) => turn()

/** The whole way of a job that is retried by itself, fails, and is retried by hand. */
const life: Job[] = [
  job({ state: 'SCHEDULED', runAt: 1500 }),
  job({ state: 'QUEUED', runAt: 1500 }),
  job({ state: 'RUNNING', attempt: 1 }),
  job({ state: 'RUNNING', attempt: 1, progress: 0.5 }),
  job({ state: 'SCHEDULED', attempt: 1, runAt: 3000 }),
  job({ state: 'QUEUED', attempt: 1, runAt: 3000 }),
  job({ state: 'RUNNING', attempt: 2 }),
  job({ state: 'RUNNING', attempt: 2, cancelRequested: true }),
  job({ state: 'CANCELLED', attempt: 2, cancelRequested: true, finishedAt: 4000 }),
  job({ state: 'QUEUED', attempt: 2, runAt: 5000 }),
  job({ state: 'RUNNING', attempt: 3 }),
  job({ state: 'COMPLETED', attempt: 3, finishedAt: 6000 }),
]

const takeAll = async (jobs: AsyncIterableIterator<Job>, count: number): Promise<Job[]> => {
  const taken: Job[] = []
  while (taken.length < count) {
    const next = await jobs.next()
    if (next.done) break
    taken.push(next.value)
  }
  return taken
}

describe('a feed', () => {
  it('ends at once for a reader that waits, when it goes away', async () => {
    const closed = vi.fn()
    const feed = createFeed<number>({ take: () => undefined, onClose: closed, pace: atOnce })
    const waiting = feed.iterator.next()
    await feed.iterator.return?.()
    expect(await waiting).toEqual({ value: undefined, done: true })
    expect(closed).toHaveBeenCalledOnce()
    expect(await feed.iterator.next()).toEqual({ value: undefined, done: true })
  })
})

describe('the order of snapshots', () => {
  it('knows earlier from later anywhere in the life of a job', () => {
    for (const [i, a] of life.entries()) {
      for (const [j, b] of life.entries()) {
        expect(isEarlier(a, b), `${i} before ${j}`).toBe(i < j)
      }
    }
  })
})

describe('watching one job', () => {
  it('tells its present state and each later one once, whenever the read falls among the changes', async () => {
    const moments = fc.record({
      readAt: fc.integer({ min: 0, max: life.length - 1 }),
      heardBefore: fc.integer({ min: 0, max: 4 }),
      heardWhile: fc.integer({ min: 0, max: 6 }),
    })
    await fc.assert(
      fc.asyncProperty(moments, async ({ readAt, heardBefore, heardWhile }) => {
        // The bus lags behind the table by `heardBefore` changes when the read is made.
        const bus = createMemoryBus()
        const from = Math.max(0, readAt - heardBefore)
        let answer: (job: Job) => void = () => undefined
        const read = { job: () => new Promise<Job>((resolve) => (answer = resolve)) }
        const watching = watchJob({ news: newsOf(bus), read, pace: atOnce }, 'a', {})
        const early = life.slice(from, from + heardWhile)
        for (const change of early) bus.publish('jobs', [change])
        await new Promise((resolve) => setImmediate(resolve))
        answer(life[readAt] ?? job())
        const jobs = await watching
        for (const change of life.slice(from + heardWhile)) bus.publish('jobs', [change])
        const expected = life.slice(readAt)
        expect(await takeAll(jobs, expected.length)).toEqual(expected)
        await jobs.return?.()
        await bus.close()
      }),
    )
  })

  it('says that nobody knows the id, and listens no longer', async () => {
    const bus = createMemoryBus()
    const off = vi.fn()
    const subscribe = vi.spyOn(bus, 'subscribe').mockReturnValue(off)
    const watching = watchJob(
      { news: newsOf(bus), read: { job: () => Promise.resolve(null) }, pace: atOnce },
      'a',
      {},
    )
    await expect(watching).rejects.toThrow(HeddleError)
    expect(subscribe).toHaveBeenCalled()
    expect(off).toHaveBeenCalledTimes(subscribe.mock.calls.length)
  })

  it('reads it again where changes may have been missed, once for all, and tells what it has not told', async () => {
    const bus = createMemoryBus()
    let stored = job({ state: 'RUNNING', attempt: 1 })
    let isAway = false
    const jobs = vi.fn(() =>
      isAway ? Promise.reject(new Error('away')) : Promise.resolve(new Map([['a', stored]])),
    )
    const read = { job: () => Promise.resolve(stored), jobs }
    const news = createJobNews(bus, read)
    const watch = () => watchJob({ news, read, pace: atOnce }, 'a', {})
    const watching = [await watch(), await watch()]
    for (const feed of watching) expect(await takeAll(feed, 1)).toEqual([stored])
    const missed = (): void => bus.publish('wake', { nodeId: null })
    missed()
    await vi.waitFor(() => expect(jobs).toHaveBeenCalledTimes(1))
    // Nothing had happened. Then it ends, and the word of it is lost.
    stored = job({ state: 'COMPLETED', attempt: 1, finishedAt: 2000 })
    missed()
    missed()
    for (const feed of watching) expect(await takeAll(feed, 1)).toEqual([stored])
    expect(jobs).toHaveBeenCalledTimes(2)
    expect(jobs).toHaveBeenLastCalledWith(['a'])
    // With the database away it tries until it is back.
    isAway = true
    stored = job({ state: 'QUEUED', attempt: 1, runAt: 3000 })
    missed()
    await vi.waitFor(() => expect(jobs).toHaveBeenCalledTimes(3))
    isAway = false
    for (const feed of watching) expect(await takeAll(feed, 1)).toEqual([stored])
    for (const feed of watching) await feed.return?.()
    missed()
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(jobs).toHaveBeenCalledTimes(4)
    await bus.close()
  })
})

describe('watching many jobs', () => {
  it('tells those that match', async () => {
    const bus = createMemoryBus()
    const jobs = watchJobs(bus, atOnce, { states: ['RUNNING'], minPriority: 1, name: 'JO' })
    bus.publish('jobs', [
      job({ state: 'RUNNING', priority: 0 }),
      job({ state: 'QUEUED', priority: 1 }),
      job({ state: 'RUNNING', priority: 1, name: 'other' }),
      job({ id: 'b', state: 'RUNNING', priority: 1 }),
    ])
    expect(await takeAll(jobs, 1)).toMatchObject([{ id: 'b' }])
    await jobs.return?.()
  })
})

describe('watching changes of many jobs together', () => {
  const next = async (changes: ReturnType<typeof watchChanges>) => {
    const { value } = (await changes.next()) as IteratorYieldResult<{
      jobs: Job[]
      incomplete: boolean
    }>
    return { ids: value.jobs.map(({ id }) => id), ...value }
  }

  it('asks to read at once, then tells the latest state of each job that matches, once a period', async () => {
    vi.useFakeTimers()
    try {
      const bus = createMemoryBus()
      const changes = watchChanges(bus, atOnce, { minPriority: 1 })
      expect(await next(changes)).toMatchObject({ ids: [], incomplete: true })
      bus.publish('jobs', [job({ id: 'a', priority: 1 }), job({ id: 'low' })])
      bus.publish('jobs', [job({ id: 'b', priority: 1 })])
      bus.publish('jobs', [job({ id: 'a', priority: 1, state: 'RUNNING' })])
      const told = next(changes)
      await vi.advanceTimersByTimeAsync(200)
      expect(await told).toMatchObject({
        jobs: [
          { id: 'a', state: 'RUNNING' },
          { id: 'b', state: 'QUEUED' },
        ],
        incomplete: false,
      })
      await changes.return?.()
    } finally {
      vi.useRealTimers()
    }
  })

  it('says so where more jobs changed than it tells, and tells the next ones in full again', async () => {
    const bus = createMemoryBus()
    const changes = watchChanges(bus, atOnce, {})
    await next(changes)
    bus.publish(
      'jobs',
      Array.from({ length: 501 }, (_, n) => job({ id: String(n) })),
    )
    const flood = await next(changes)
    expect(flood.ids).toHaveLength(500)
    expect(flood.incomplete).toBe(true)
    bus.publish('jobs', [job({ id: 'after' })])
    expect(await next(changes)).toMatchObject({ ids: ['after'], incomplete: false })
    await changes.return?.()
  })

  it('asks to read anew where the queue changed and nobody says which jobs', async () => {
    const bus = createMemoryBus()
    const changes = watchChanges(bus, atOnce, {})
    await next(changes)
    bus.publish('wake', { nodeId: 'a node, whose jobs are told' })
    bus.publish('jobs', [job()])
    expect(await next(changes)).toMatchObject({ ids: ['a'], incomplete: false })
    bus.publish('wake', { nodeId: null })
    expect(await next(changes)).toMatchObject({ ids: [], incomplete: true })
    await changes.return?.()
  })
})

describe('watching workers', () => {
  it('tells at once, then at most once a period however often they change, the last change included', async () => {
    vi.useFakeTimers()
    try {
      const bus = createMemoryBus()
      const ticks = watchWorkers(bus, atOnce, 250)
      let told = 0
      const count = async (): Promise<void> => {
        while (!(await ticks.next()).done) told += 1
      }
      const counting = count()
      await vi.advanceTimersByTimeAsync(1)
      expect(told).toBe(1)
      for (let i = 0; i < 100; i += 1) {
        bus.publish('workers', { nodeId: 'n', workers: [] })
        await vi.advanceTimersByTimeAsync(10)
      }
      expect(told).toBeLessThanOrEqual(5)
      await vi.advanceTimersByTimeAsync(1000)
      const before = told
      bus.publish('workers', { nodeId: 'n', workers: [] })
      await vi.advanceTimersByTimeAsync(1000)
      expect(told).toBe(before + 1)
      await ticks.return?.()
      await counting
    } finally {
      vi.useRealTimers()
    }
  })
})
