import { expect, test } from 'vitest'
import { insertClaimedJobs } from '../src/store/insert-claimed.ts'
import { settleJobs } from '../src/store/settle.ts'
import { newJob, newJobs } from './new-jobs.ts'
import { claimOf, onEveryDatabase, settlementOf } from './store-tools.ts'

const queueLimit = 1_000_000

onEveryDatabase('jobs that are claimed as they are stored', (t) => {
  test('run under the lease, and only those that were asked for', async () => {
    const nodeId = await t.node()
    const [first, waiting, second] = newJobs(3)
    const { results, claimed } = await insertClaimedJobs(t.store, [first!, waiting!, second!], {
      queueLimit,
      nodeId,
      claims: [second!, first!].map(({ job }) => claimOf(job)),
    })

    expect(results).toEqual(
      [first, waiting, second].map((each) => ({ job: each!.job, created: true })),
    )
    expect(new Set(claimed.map(({ job }) => job.id))).toEqual(
      new Set([first!.job.id, second!.job.id]),
    )
    for (const { job } of claimed) {
      expect(job).toMatchObject({ state: 'RUNNING', attempt: 1, nodeId, workerName: 'worker-1' })
      // What the node believes of its job is what the table says.
      expect(await t.read.job(job.id)).toMatchObject({ ...job, queueTimeMs: expect.any(Number) })
    }
    expect(await t.read.job(waiting!.job.id)).toEqual(waiting!.job)
    expect(await t.claim(nodeId, first!)).toEqual([])
  })

  test('are stored alike, one alone and several together, whatever they say', async () => {
    const nodeId = await t.node()
    const jobs = newJobs(3, {
      name: 'a "name", {of} \\ its own',
      priority: -7,
      threadDemand: 4,
      gang: 2,
      maxThreads: 8,
      rank: 7.25,
      maxAttempts: 5,
      timeoutMs: 1500,
      expectedMs: 20,
      sizeClass: 3,
      fairnessKey: 'somebody, "else"',
      backoff: { baseMs: 5, maxMs: 50 },
      payload: '{"a": "\\u0000 \\ud800 {},"}',
    })
    const ofItself = { id: '', createdAt: 0, runAt: 0, startedAt: 0, queueTimeMs: 0 }
    const stored = async (some: typeof jobs) => {
      const claims = some.map(({ job }) => claimOf(job))
      const { claimed } = await insertClaimedJobs(t.store, some, { queueLimit, nodeId, claims })
      expect(claimed.map(({ payload }) => payload)).toEqual(some.map(({ payload }) => payload))
      return Promise.all(
        claimed.map(async ({ job }) => {
          expect(await t.read.job(job.id)).toMatchObject({
            ...job,
            queueTimeMs: expect.any(Number),
          })
          const { payload } = (await t.read.documents([job.id])).get(job.id)!
          return { payload, job: { ...job, ...ofItself } }
        }),
      )
    }
    const [alone] = await stored(jobs.slice(0, 1))
    expect(await stored(jobs.slice(1))).toEqual([alone, alone])
  })

  test('end as any others, with the payload they came with', async () => {
    const nodeId = await t.node()
    const submitted = newJob({ payload: '{"a": "\\u0000"}' })
    const { claimed } = await insertClaimedJobs(t.store, [submitted], {
      queueLimit,
      nodeId,
      claims: [claimOf(submitted.job)],
    })
    expect(claimed[0]?.payload).toBe(submitted.payload)
    const { settled } = await settleJobs(t.store, nodeId, [settlementOf(claimed[0]!.job)])
    expect(settled).toMatchObject([{ id: submitted.job.id, state: 'COMPLETED', attempt: 1 }])
  })

  test('wait in the queue where the lease is gone: a dead node starts nothing', async () => {
    const nodeId = await t.node()
    await t.store.pool.query('DELETE FROM node')
    const submitted = newJob()
    const { results, claimed } = await insertClaimedJobs(t.store, [submitted], {
      queueLimit,
      nodeId,
      claims: [claimOf(submitted.job)],
    })
    expect(results).toMatchObject([{ created: true }])
    expect(claimed).toEqual([])
    expect(await t.read.job(submitted.job.id)).toEqual(submitted.job)
  })

  test('are refused whole where the queue is full', async () => {
    const nodeId = await t.node()
    const jobs = newJobs(2)
    const options = { queueLimit: 1, nodeId, claims: jobs.map(({ job }) => claimOf(job)) }
    expect(await insertClaimedJobs(t.store, jobs, options)).toEqual({
      results: [{ error: 'QUEUE_FULL' }, { error: 'QUEUE_FULL' }],
      claimed: [],
    })
    expect(await t.read.job(jobs[0]!.job.id)).toBeNull()
  })
})
