import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Job } from '../src/core/job.ts'
import { requestCancel } from '../src/store/cancel.ts'
import { rollUpMetrics } from '../src/store/metrics.ts'
import type { JobFilter, Page } from '../src/store/read.ts'
import { trimHistory } from '../src/store/retention.ts'
import { settleJobs } from '../src/store/settle.ts'
import { newJob, newJobs } from './new-jobs.ts'
import { onEveryDatabase, settlementOf, type StoreTools } from './store-tools.ts'

const ids = (page: Page<Job>): string[] => page.items.map(({ node }) => node.id)

/** ends the jobs at these times */
async function finishAt(t: StoreTools, times: number[], outcome = {}): Promise<Job[]> {
  const nodeId = await t.node()
  const jobs = times.map((at) => newJob({ createdAt: at - 30, runAt: at - 30 }))
  await t.insert(...jobs)
  const claimed = await t.claim(nodeId, ...jobs)
  const byId = new Map(claimed.map((job) => [job.id, job]))
  const { settled } = await settleJobs(
    t.store,
    nodeId,
    jobs.map(({ job }, i) =>
      settlementOf(byId.get(job.id)!, {
        ...{ to: 'COMPLETED', result: '1', startedAt: times[i]! - 10, finishedAt: times[i]! },
        ...outcome,
      }),
    ),
  )
  const ended = new Map(settled.map((job) => [job.id, job]))
  return jobs.map(({ job }) => ended.get(job.id)!)
}

onEveryDatabase('looking up a job', (t) => {
  test('nobody knows an id that was never given, or that is none', async () => {
    for (const id of [randomUUID(), '', 'x', "'; DROP TABLE job", '\0', 'a'.repeat(36)]) {
      expect(await t.read.job(id)).toBeNull()
      expect(await t.read.documents([id])).toEqual(new Map())
    }
  })
})

onEveryDatabase('the list of active jobs', (t) => {
  test('goes from the last submitted to the first, and back, page by page', async () => {
    const jobs = newJobs(7)
    await t.insert(...jobs)
    const expected = jobs.map(({ job }) => job.id).reverse()
    const first = await t.read.active({}, { first: 3 })
    expect(first).toMatchObject({ hasNext: true, hasPrevious: false })
    const second = await t.read.active({}, { first: 3, after: first.items[2]!.cursor })
    const third = await t.read.active({}, { first: 3, after: second.items[2]!.cursor })
    expect(third).toMatchObject({ hasNext: false, hasPrevious: true })
    expect([first, second, third].flatMap(ids)).toEqual(expected)
    expect(await third.totalCount()).toBe(7)

    const back = await t.read.active({}, { last: 3, before: third.items[0]!.cursor })
    expect(ids(back)).toEqual(ids(second))
    expect(back).toMatchObject({ hasNext: true, hasPrevious: true })
    expect(ids(await t.read.active({}, { last: 2 }))).toEqual(expected.slice(-2))
  })

  test('a job that ends between two pages moves no other', async () => {
    const jobs = newJobs(6)
    await t.insert(...jobs)
    const expected = jobs.map(({ job }) => job.id).reverse()
    const first = await t.read.active({}, { first: 2 })
    await requestCancel(t.store, [expected[0]!, expected[1]!])
    const second = await t.read.active({}, { first: 2, after: first.items[1]!.cursor })
    expect(ids(second)).toEqual(expected.slice(2, 4))
  })

  test.each<[string, JobFilter, number]>([
    ['state', { states: ['SCHEDULED'] }, 1],
    ['states, ended ones among them', { states: ['QUEUED', 'COMPLETED'] }, 2],
    ['an ended state only', { states: ['FAILED'] }, 0],
    ['type', { types: ['other', 'unknown'] }, 1],
    ['priority', { minPriority: 5, maxPriority: 10 }, 1],
    ['part of the name in any case', { name: 'PORT%' }, 1],
    ['a name nobody has', { name: 'rep_rt' }, 0],
    ['a name that no name can be', { name: 'a\0' }, 0],
  ])('can be narrowed by %s', async (_, filter, count) => {
    await t.insert(
      newJob({ name: 'Report% of the day', priority: 10 }),
      newJob({ type: 'other' }),
      newJob({ state: 'SCHEDULED', priority: -1 }),
    )
    const page = await t.read.active(filter, { first: 10 })
    expect(page.items).toHaveLength(count)
    expect(await page.totalCount()).toBe(count)
  })

  test('counts are by state', async () => {
    const jobs = newJobs(3)
    await t.insert(...jobs, newJob({ state: 'SCHEDULED' }))
    await t.claim(await t.node(), jobs[0]!)
    expect(await t.read.counts()).toEqual({ QUEUED: 2, RUNNING: 1, SCHEDULED: 1 })
  })
})

onEveryDatabase('history', (t) => {
  test('goes from the last finished to the first, also among jobs that ended at the same time', async () => {
    const now = Math.floor(t.store.clock.now())
    const times = [0, 0.001, 0.002, 0.001, 0.001, 5, 5, -7].map((offset) => now + offset)
    const jobs = await finishAt(t, times)
    const expected = [...jobs].sort(
      (a, b) => b.finishedAt! - a.finishedAt! || (a.id < b.id ? 1 : -1),
    )
    const seen: string[] = []
    let after: string | undefined
    for (let turn = 0; turn < 10; turn += 1) {
      const page = await t.read.history({}, { first: 3, after })
      seen.push(...ids(page))
      after = page.items.at(-1)?.cursor
      if (!page.hasNext) break
    }
    expect(seen).toEqual(expected.map(({ id }) => id))
  })

  test('can be narrowed by state, and counts what fits', async () => {
    const now = t.store.clock.now()
    const error = { name: 'Error', message: 'x' }
    const [failed] = await finishAt(t, [now], { to: 'FAILED', error })
    await finishAt(t, [now, now])
    const page = await t.read.history({ states: ['FAILED', 'CANCELLED', 'RUNNING'] }, { first: 10 })
    expect(page.items.map(({ node }) => node)).toEqual([failed])
    expect(await page.totalCount()).toBe(1)
    expect(await (await t.read.history({}, { first: 1 })).totalCount()).toBe(3)
  })

  test('any text that is no cursor of the list is told so', async () => {
    const active = (await t.insert(newJob())) && (await t.read.active({}, { first: 1 }))
    const [job] = await finishAt(t, [t.store.clock.now()])
    const history = await t.read.history({}, { first: 1 })
    expect(ids(history)).toEqual([job!.id])
    const bad = { code: 'INVALID_CURSOR' }
    await expect(
      t.read.history({}, { first: 1, after: active.items[0]!.cursor }),
    ).rejects.toMatchObject(bad)
    await expect(
      t.read.active({}, { first: 1, after: history.items[0]!.cursor }),
    ).rejects.toMatchObject(bad)
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), async (cursor) => {
        await expect(t.read.history({}, { first: 1, after: cursor })).rejects.toMatchObject(bad)
        await expect(t.read.active({}, { last: 1, before: cursor })).rejects.toMatchObject(bad)
      }),
      { numRuns: 50 },
    )
  })

  test('retention drops old jobs and their keys, and nothing younger', async () => {
    const nodeId = await t.node()
    const old = t.store.clock.now() - 100_000
    const keyed = newJob({ key: 'k', createdAt: old, runAt: old })
    await t.finish(nodeId, keyed, { to: 'COMPLETED', result: '1', startedAt: old, finishedAt: old })
    await finishAt(t, [old, old, old])
    const [young] = await finishAt(t, [t.store.clock.now()])
    expect(await trimHistory(t.store, { maxAgeMs: 50_000, batch: 3 })).toBe(4)
    expect(ids(await t.read.history({}, { first: 10 }))).toEqual([young!.id])
    expect(await t.insert(newJob({ key: 'k' }))).toMatchObject([{ created: true }])
  })
})

onEveryDatabase('metrics', (t) => {
  /** start of the minute that lies so many minutes back */
  const minute = (back: number): number =>
    (Math.floor(t.store.clock.now() / 60_000) - back) * 60_000
  const stored = async (): Promise<number> => {
    const { rows } = await t.store.pool.query<{ n: string }>(
      'SELECT count(*) AS n FROM metric_minute',
    )
    return Number(rows[0]!.n)
  }

  test('sum up minutes by type, the same before and after they are rolled up', async () => {
    await finishAt(t, [minute(10) + 1, minute(10) + 59_999, minute(5) + 1])
    await finishAt(t, [minute(10) + 5], { to: 'FAILED', error: { name: 'E', message: 'm' } })
    await finishAt(t, [t.store.clock.now()])
    const before = await t.read.metrics(3_600_000)
    expect(before).toMatchObject([
      { minute: minute(10), type: 'add_numbers', completed: 2, failed: 1, cancelled: 0 },
      { minute: minute(5), completed: 1 },
      { minute: expect.any(Number), completed: 1 },
    ])
    expect(before[0]).toMatchObject({ queueTimeMs: 60, executionTimeMs: 30, totalTimeMs: 90 })
    await rollUpMetrics(t.store)
    await rollUpMetrics(t.store)
    expect(await stored()).toBe(2)
    expect(await t.read.metrics(3_600_000)).toEqual(before)
  })

  test('a job stored long after it ended is counted in its minute', async () => {
    await finishAt(t, [minute(10) + 1, minute(5) + 1])
    await rollUpMetrics(t.store)
    await finishAt(t, [minute(10) + 2, minute(7)])
    expect((await t.read.metrics(3_600_000)).map((row) => [row.minute, row.completed])).toEqual([
      [minute(10), 2],
      [minute(7), 1],
      [minute(5), 1],
    ])
  })

  test('nodes that roll up and settle at the same time count each job once', async () => {
    const work: Promise<unknown>[] = []
    for (let i = 0; i < 10; i += 1) {
      work.push(finishAt(t, [minute(3) + i, minute(2) + i]), rollUpMetrics(t.store))
    }
    await Promise.all(work)
    await rollUpMetrics(t.store)
    const rows = await t.read.metrics(3_600_000)
    expect(rows.map((row) => [row.minute, row.completed])).toEqual([
      [minute(3), 10],
      [minute(2), 10],
    ])
  })

  test('a minute that is rolled up while somebody looks is told once', async () => {
    const times = Array.from({ length: 20 }, (_, n) => minute(22 - n))
    await finishAt(t, times)
    for (let looks = 0; looks < 5; looks += 1) {
      const [rows] = await Promise.all([t.read.metrics(3_600_000), rollUpMetrics(t.store)])
      expect(rows.map((row) => [row.minute, row.completed])).toEqual(times.map((at) => [at, 1]))
      await t.store.pool.query('DELETE FROM metric_minute')
    }
  })

  test('only the window asked for is given', async () => {
    await finishAt(t, [minute(100), minute(1)])
    expect(await t.read.metrics(600_000)).toHaveLength(1)
    await rollUpMetrics(t.store)
    expect(await t.read.metrics(600_000)).toHaveLength(1)
  })
})
