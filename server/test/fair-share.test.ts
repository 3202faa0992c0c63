/** Whatever becomes of a job, its key pays for what it used, and once. */
import { expect, test } from 'vitest'
import { parkedRank } from '../src/core/fair-share.ts'
import type { Job } from '../src/core/job.ts'
import { requestCancel } from '../src/store/cancel.ts'
import {
  dropTurns,
  forgetIdleShares,
  giveTurns,
  listFairShares,
  setFairWeight,
} from '../src/store/fair-share.ts'
import { peekQueued } from '../src/store/peek.ts'
import { promoteDue } from '../src/store/promote.ts'
import { registerTypes } from '../src/store/register-types.ts'
import { retryFinished } from '../src/store/retry.ts'
import { settleJobs } from '../src/store/settle.ts'
import { jobOf, submit, turnsOf } from './fair-jobs.ts'
import { onEveryDatabase, settlementOf, type StoreTools } from './store-tools.ts'

/** Ids in the order in which they would start. */
const inOrder = async (t: StoreTools): Promise<string[]> =>
  (await peekQueued(t.store, { limit: 1000, maxGang: 9, clusterMaxGang: 9 })).map(({ id }) => id)

async function turnOfKey(t: StoreTools, key: string): Promise<number | undefined> {
  const { rows } = await t.store.pool.query<{ turn: number }>(
    'SELECT turn FROM fair_share WHERE key = $1',
    [key],
  )
  return rows[0]?.turn
}

/** Runs a queued job for so long on one thread. */
async function run(t: StoreTools, nodeId: string, { id }: Job, runMs: number): Promise<Job> {
  const [claimed] = await t.claim(nodeId, id)
  const times = { startedAt: 1000, finishedAt: 1000 + runMs }
  const attempts = [{ number: 1, nodeId, workerName: 'worker-1', error: null, ...times }]
  const outcome = { to: 'COMPLETED', result: '1', attempts, ...times }
  const { settled } = await settleJobs(t.store, nodeId, [settlementOf(claimed!, outcome)])
  return settled[0]!
}

onEveryDatabase('fair share', (t) => {
  test('two tenants take turns, however many jobs one has', async () => {
    await submit(
      t,
      Array.from({ length: 50 }, () => jobOf('many', 100)),
    )
    const few = await submit(t, [jobOf('few', 100), jobOf('few', 100)])
    const order = await inOrder(t)
    expect(order).toHaveLength(52)
    expect(few.map(({ id }) => order.indexOf(id))).toEqual([1, 3])
  })

  test('only the next jobs of a key have their turns; the others wait behind all that have one', async () => {
    const many = await submit(
      t,
      Array.from({ length: 50 }, () => jobOf('many', 100)),
    )
    const given = await turnsOf(t)
    expect(many.map(({ id }) => given.get(id))).toEqual([
      ...Array.from({ length: 16 }, (_, n) => n * 100),
      ...Array.from({ length: 34 }, () => null),
    ])
    expect(await inOrder(t)).toEqual(many.map(({ id }) => id))
  })

  test('a job without a key is charged to the key of those without', async () => {
    await submit(t, [jobOf(null, 100)])
    expect(await turnOfKey(t, '')).toBe(100)
    expect(await listFairShares(t.store)).toEqual([{ key: '', weight: 1, usedThreadMs: 0 }])
  })

  test('when a job has ended, its key has paid for what it used', async () => {
    const nodeId = await t.node()
    const [job] = await submit(t, [jobOf('a', 100)])
    const ended = await run(t, nodeId, job!, 700)
    expect(ended).toMatchObject({ state: 'COMPLETED', fairnessKey: 'a' })
    await giveTurns(t.store, null)
    expect(await turnOfKey(t, 'a')).toBeCloseTo(700, 3)
    const [share] = await listFairShares(t.store)
    expect(share).toEqual({ key: 'a', weight: 1, usedThreadMs: expect.closeTo(700, -1) })
    expect(await t.read.job(job!.id)).toMatchObject({ fairnessKey: 'a', fairCostMs: null })
  })

  test('a job that used more than it was charged moves those of its key that wait', async () => {
    const nodeId = await t.node()
    const [first, second] = await submit(t, [jobOf('a', 100), jobOf('a', 100)])
    const [rival] = await submit(t, [jobOf('b', 100), jobOf('b', 100)])
    await run(t, nodeId, first!, 900)
    await giveTurns(t.store, null)
    const given = await turnsOf(t)
    expect([given.get(second!.id), await turnOfKey(t, 'a')]).toEqual([900, 1000])
    expect((await inOrder(t))[0]).toBe(rival!.id)
  })

  test('a job that started before it had a turn is charged as it runs, and corrected when it ends', async () => {
    const nodeId = await t.node()
    const job = jobOf('a', 100)
    await t.insert(job)
    const [claimed] = await t.claim(nodeId, job)
    await giveTurns(t.store, null)
    expect(await turnOfKey(t, 'a')).toBe(100)
    const times = { startedAt: 1000, finishedAt: 1600 }
    const attempts = [{ number: 1, nodeId, workerName: 'worker-1', error: null, ...times }]
    await settleJobs(t.store, nodeId, [
      settlementOf(claimed!, {
        to: 'FAILED',
        error: { name: 'E', message: '' },
        attempts,
        ...times,
      }),
    ])
    await giveTurns(t.store, null)
    expect(await turnOfKey(t, 'a')).toBeCloseTo(600, 3)
  })

  test('a job that is cancelled before it starts gives back what it was charged', async () => {
    const [job] = await submit(t, [jobOf('a', 1000), jobOf('a', 50)])
    await requestCancel(t.store, [job!.id])
    await giveTurns(t.store, null)
    expect(await turnOfKey(t, 'a')).toBe(50)
  })

  test('a job that is cancelled before it had a turn owes nothing', async () => {
    const job = jobOf('a', 1000)
    await t.insert(job)
    await requestCancel(t.store, [job.job.id])
    await submit(t, [jobOf('a', 50)])
    expect(await turnOfKey(t, 'a')).toBe(50)
  })

  test('a delayed job gets its turn when its time has come, and is charged then', async () => {
    const delayed = { state: 'SCHEDULED', runAt: Date.now() - 1000 } as const
    const [job] = await submit(t, [jobOf('a', 100, delayed)])
    expect(await turnOfKey(t, 'a')).toBeUndefined()
    await submit(t, [jobOf('b', 400), jobOf('b', 400)])
    await promoteDue(t.store)
    await giveTurns(t.store, null)
    // Level with the first of the other key, and submitted before.
    expect((await inOrder(t)).indexOf(job!.id)).toBe(0)
    expect(await turnOfKey(t, 'a')).toBe(100)
  })

  test('a retry after a back-off keeps its place', async () => {
    const nodeId = await t.node()
    const [job] = await submit(t, [jobOf('a', 100, { maxAttempts: 3 })])
    const turn = (await turnsOf(t)).get(job!.id)
    const [claimed] = await t.claim(nodeId, job!.id)
    const back = settlementOf(claimed!, { to: 'SCHEDULED', runAt: Date.now() - 1000 })
    await settleJobs(t.store, nodeId, [back])
    await promoteDue(t.store)
    await giveTurns(t.store, null)
    expect((await turnsOf(t)).get(job!.id)).toBe(turn)
    expect(await turnOfKey(t, 'a')).toBe(100)
  })

  test('a retry by hand waits for another turn, and costs what it took before', async () => {
    const nodeId = await t.node()
    const [job] = await submit(t, [jobOf('a', 100)])
    await run(t, nodeId, job!, 300)
    const again = await retryFinished(t.store, job!.id, { agingMs: null, fairShare: true })
    expect(again).toMatchObject({ state: 'QUEUED', fairnessKey: 'a', fairCostMs: 300 })
    await giveTurns(t.store, null)
    expect(await turnOfKey(t, 'a')).toBeCloseTo(600, 3)
  })

  test('jobs that SQL callers enqueue get their turns like any other', async () => {
    const backoff = { baseMs: 10, maxMs: 100 }
    const type = { type: 'any', parallel: true, timeoutMs: null, maxAttempts: 1, backoff }
    await registerTypes(t.store, [type], { agingMs: null, fairShare: true })
    const { rows } = await t.store.pool.query<{ id: string }>(
      `SELECT heddle_enqueue('any', '{}', thread_demand => 4, expected_ms => 50, fairness_key => 'a') AS id`,
    )
    const queued = await t.read.job(rows[0]!.id)
    expect(queued).toMatchObject({ state: 'QUEUED', fairnessKey: 'a', fairCostMs: 200 })
    expect(queued!.rank).toBe(parkedRank(0, 0, null))
    await giveTurns(t.store, null)
    expect(await turnOfKey(t, 'a')).toBe(200)
    await t.store.pool.query(`SELECT heddle_enqueue('any', '{}')`)
    await giveTurns(t.store, null)
    expect(await turnOfKey(t, '')).toBe(100)
  })

  test('when fair share is switched off, what waits is back in the order of its submission', async () => {
    const many = await submit(
      t,
      Array.from({ length: 20 }, () => jobOf('many', 100)),
    )
    const urgent = await submit(t, [jobOf('few', 100), jobOf('few', 100, { priority: 1 })])
    await dropTurns(t.store, null)
    const [one, two] = urgent.map(({ id }) => id)
    expect(await inOrder(t)).toEqual([two, ...many.map(({ id }) => id), one])
    await giveTurns(t.store, null)
    expect((await inOrder(t)).at(-1)).toBe(one)
  })

  test('submissions, turns and ends at once, of the same keys in any order, all come through', async () => {
    const names = ['a', 'b', 'c', 'd']
    const nodeId = await t.node()
    const rounds = Array.from({ length: 12 }, async (_, i) => {
      const order = i % 2 === 0 ? names : names.toReversed()
      const jobs = await submit(
        t,
        order.map((name) => jobOf(name, 10)),
      )
      // One that is being given its turn this moment is not claimed: the next try finds it.
      const claimed: Job[] = []
      while (claimed.length < jobs.length) {
        claimed.push(...(await t.claim(nodeId, ...jobs.map(({ id }) => id))))
      }
      const times = { startedAt: 1000, finishedAt: 2000 }
      const attempts = [{ number: 1, nodeId, workerName: 'worker-1', error: null, ...times }]
      const ends = claimed.map((each) =>
        settlementOf(each, { to: 'COMPLETED', result: '1', attempts, ...times }),
      )
      return (await settleJobs(t.store, nodeId, ends)).settled.length
    })
    expect(await Promise.all(rounds)).toEqual(rounds.map(() => 4))
    await giveTurns(t.store, null)
    const used = (await listFairShares(t.store)).map(({ usedThreadMs }) => Math.round(usedThreadMs))
    expect(used.every((ms) => ms > 11_900 && ms <= 12_000)).toBe(true)
  })

  test('accounts that nobody uses are forgotten, weights that somebody set are not', async () => {
    await submit(t, [jobOf('idle', 100), jobOf('fresh', 100)])
    await setFairWeight(t.store, 'weighed', 3)
    await t.store.pool.query(
      `UPDATE fair_share SET used_at = used_at - interval '2 days' WHERE key IN ('idle', 'weighed')`,
    )
    await forgetIdleShares(t.store)
    const keys = (await listFairShares(t.store)).map((share) => share.key)
    expect(keys.toSorted()).toEqual(['fresh', 'weighed'])
  })
})
