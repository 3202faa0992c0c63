import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Job, JobError } from '../src/core/job.ts'
import { requestCancel } from '../src/store/cancel.ts'
import { heartbeat, lookAround, removeNode } from '../src/store/nodes.ts'
import { peekQueued } from '../src/store/peek.ts'
import { promoteDue } from '../src/store/promote.ts'
import { rescueLost } from '../src/store/rescue.ts'
import { retryFinished } from '../src/store/retry.ts'
import { settleJobs } from '../src/store/settle.ts'
import { newJob, newJobs } from './new-jobs.ts'
import { onEveryDatabase, settlementOf } from './store-tools.ts'

const ALL = { limit: 1000, maxGang: 1024, clusterMaxGang: 1024 }
const LEASE_MS = 10_000
const error: JobError = { name: 'NodeLost', message: 'gone', code: 'NODE_LOST' }

onEveryDatabase('cancelling', (t) => {
  test('ends what waits, marks what runs, and tells ended and unknown jobs apart', async () => {
    const nodeId = await t.node()
    const [queued, delayed, runs] = [newJob(), newJob({ state: 'SCHEDULED' }), newJob()]
    const done = await t.finish(nodeId, newJob())
    await t.insert(queued, delayed, runs)
    await t.claim(nodeId, runs)
    const unknown = randomUUID()
    const ids = [queued.job.id, delayed.job.id, runs.job.id, done.id, unknown, queued.job.id]
    const result = await requestCancel(t.store, ids)
    expect(result.cancelled.map(({ id, state }) => [id, state]).sort()).toEqual(
      [queued, delayed].map(({ job }) => [job.id, 'CANCELLED']).sort(),
    )
    expect(result.stopping).toMatchObject([
      { id: runs.job.id, state: 'RUNNING', cancelRequested: true },
    ])
    expect(result.finished).toEqual([done])
    expect(result.missing).toEqual([unknown])
    expect(await t.read.job(queued.job.id)).toMatchObject({
      state: 'CANCELLED',
      queueTimeMs: null,
      executionTimeMs: null,
      totalTimeMs: expect.any(Number),
    })
    expect(await peekQueued(t.store, ALL)).toEqual([])
  })

  test('the node of a running job hears of it with its heartbeat', async () => {
    const nodeId = await t.node()
    const jobs = newJobs(2)
    await t.insert(...jobs)
    await t.claim(nodeId, ...jobs)
    await requestCancel(t.store, [jobs[1]!.job.id])
    const beat = await heartbeat(t.store, { id: nodeId, workers: [] })
    expect(beat).toEqual({ alive: true, cancelling: [jobs[1]!.job.id] })
  })

  test.each([
    { to: 'SCHEDULED', runAt: 1 },
    { to: 'QUEUED', attemptsMade: 0 },
  ])('a marked job ends as cancelled where it would go back as $to', async (outcome) => {
    const nodeId = await t.node()
    const given = newJob({ maxAttempts: 5 })
    await t.insert(given)
    const [job] = (await t.claim(nodeId, given)) as [Job]
    await requestCancel(t.store, [job.id])
    const { settled } = await settleJobs(t.store, nodeId, [settlementOf(job, outcome)])
    expect(settled).toMatchObject([{ id: job.id, state: 'CANCELLED' }])
    expect(await t.read.job(job.id)).toMatchObject({ state: 'CANCELLED' })
  })
})

onEveryDatabase('retrying by hand', (t) => {
  test('puts an ended job back in the queue with room for one more attempt', async () => {
    const nodeId = await t.node()
    const failed = await t.finish(nodeId, newJob({ payload: { x: 1 } }), { to: 'FAILED', error })
    const back = await retryFinished(t.store, failed.id, { agingMs: null, fairShare: false })
    expect(back).toMatchObject({
      id: failed.id,
      state: 'QUEUED',
      attempt: 1,
      maxAttempts: 2,
      startedAt: null,
      error: null,
      width: null,
    })
    expect(await t.read.job(failed.id)).toEqual(back)
    expect((await t.read.documents([failed.id])).get(failed.id)?.payload).toBe('{"x":1}')
    expect(await t.claim(nodeId, failed.id)).toMatchObject([{ attempt: 2 }])
  })

  test('tells active and unknown jobs apart', async () => {
    const given = newJob()
    await t.insert(given)
    expect(await retryFinished(t.store, given.job.id, { agingMs: null, fairShare: false })).toBe(
      'active',
    )
    expect(await retryFinished(t.store, randomUUID(), { agingMs: null, fairShare: false })).toBe(
      'missing',
    )
  })
})

onEveryDatabase('promoting', (t) => {
  test('queues what is due and says when the next is', async () => {
    const now = t.store.clock.now()
    const jobs = [-1000, 60_000, 120_000].map((inMs) =>
      newJob({ state: 'SCHEDULED', runAt: now + inMs }),
    )
    await t.insert(...jobs)
    const { promoted, nextRunAt } = await promoteDue(t.store)
    expect(promoted).toMatchObject([{ id: jobs[0]!.job.id, state: 'QUEUED' }])
    expect(nextRunAt).toBeCloseTo(now + 60_000, 1)
    expect(await peekQueued(t.store, ALL)).toHaveLength(1)
    expect((await promoteDue(t.store)).promoted).toEqual([])
  })

  test('with more due than one call takes, the next time is past', async () => {
    const runAt = t.store.clock.now() - 1000
    await t.insert(...newJobs(1001, { state: 'SCHEDULED', runAt }))
    const first = await promoteDue(t.store)
    expect(first.promoted).toHaveLength(1000)
    expect(first.nextRunAt).toBeLessThan(t.store.clock.now())
    expect(await promoteDue(t.store)).toMatchObject({ promoted: [{}], nextRunAt: null })
  })
})

onEveryDatabase('nodes and rescue', (t) => {
  /** as if the node had not been heard of for a lease and a second */
  const silence = (id: string) =>
    t.store.pool.query(
      `UPDATE node SET heartbeat_at = heartbeat_at - interval '${LEASE_MS + 1000} ms' WHERE id = $1`,
      [id],
    )
  const rescue = () => rescueLost(t.store, { leaseMs: LEASE_MS, error })

  test('a heartbeat keeps a node alive, and one that is gone is told', async () => {
    const id = await t.node()
    const worker = { nodeId: id, nodeName: 'n', name: 'w', threads: 1, busy: ['x', null] }
    expect(await heartbeat(t.store, { id, workers: [worker] })).toEqual({
      alive: true,
      cancelling: [],
    })
    expect(await lookAround(t.store, LEASE_MS)).toMatchObject({
      nodes: [{ id, workers: [worker], maxThreads: 8 }],
      anyLost: false,
    })
    await removeNode(t.store, id)
    expect(await heartbeat(t.store, { id, workers: [] })).toEqual({ alive: false, cancelling: [] })
  })

  test('a silent node is not live, and its heartbeat makes it live again', async () => {
    const id = await t.node()
    await silence(id)
    expect(await lookAround(t.store, LEASE_MS)).toEqual({ nodes: [], silentMs: 0, anyLost: true })
    await heartbeat(t.store, { id, workers: [] })
    expect((await lookAround(t.store, LEASE_MS)).nodes).toHaveLength(1)
  })

  test("a dead node's jobs move on, the lost attempt counted", async () => {
    const [dead, live] = [await t.node(), await t.node()]
    const again = newJob({ maxAttempts: 2 })
    const [spent, unwanted, safe] = newJobs(3) as [typeof again, typeof again, typeof again]
    await t.insert(again, spent, unwanted, safe)
    await t.claim(dead, again, spent, unwanted)
    await t.claim(live, safe)
    await requestCancel(t.store, [unwanted.job.id])
    await silence(dead)

    const { requeued, failed, cancelled } = await rescue()
    const lost = { number: 1, nodeId: dead, workerName: 'worker-1', error }
    expect(requeued).toMatchObject([
      { id: again.job.id, state: 'QUEUED', attempt: 1, attempts: [lost], nodeId: null },
    ])
    expect(failed).toMatchObject([{ id: spent.job.id, state: 'FAILED', error, attempts: [lost] }])
    expect(cancelled).toMatchObject([{ id: unwanted.job.id, state: 'CANCELLED' }])
    expect(await t.read.job(safe.job.id)).toMatchObject({ state: 'RUNNING' })
    expect(await heartbeat(t.store, { id: dead, workers: [] })).toMatchObject({ alive: false })
    expect(await rescue()).toEqual({ requeued: [], failed: [], cancelled: [] })
  })

  test('what a node left behind when it signed off is rescued as well', async () => {
    const id = await t.node()
    const given = newJob({ maxAttempts: 2 })
    await t.insert(given)
    await t.claim(id, given)
    await removeNode(t.store, id)
    expect((await rescue()).requeued).toMatchObject([{ id: given.job.id }])
  })

  test('many rescuers at once move each job on once', async () => {
    const dead = await t.node()
    const jobs = newJobs(200, { maxAttempts: 2 })
    await t.insert(...jobs)
    await t.claim(dead, ...jobs)
    await silence(dead)
    const rescues = await Promise.all(Array.from({ length: 6 }, rescue))
    // One that lost the race for the node may still find rows of it: all that counts is once each.
    const ids = rescues.flatMap(({ requeued }) => requeued.map(({ id }) => id))
    expect(ids.sort()).toEqual(jobs.map(({ job }) => job.id).sort())
  })

  test('an outcome that comes after the rescue changes nothing', async () => {
    const [dead, next] = [await t.node(), await t.node()]
    const given = newJob({ maxAttempts: 3 })
    await t.insert(given)
    const [job] = (await t.claim(dead, given)) as [Job]
    await silence(dead)
    await rescue()
    const late = () => settleJobs(t.store, dead, [settlementOf(job)])
    expect((await late()).refused).toEqual([job.id])
    const [second] = (await t.claim(next, given)) as [Job]
    expect((await late()).refused).toEqual([job.id])
    expect((await settleJobs(t.store, next, [settlementOf(second)])).settled).toHaveLength(1)
  })
})
