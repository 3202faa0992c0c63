import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Job } from '../src/core/job.ts'
import { claimJobs } from '../src/store/claim.ts'
import { heldJobs } from '../src/store/held.ts'
import { removeNode } from '../src/store/nodes.ts'
import { peekJobs, peekQueued } from '../src/store/peek.ts'
import { settleJobs } from '../src/store/settle.ts'
import { newJob, newJobs } from './new-jobs.ts'
import { claimOf, onEveryDatabase, settlementOf } from './store-tools.ts'

const ALL = { limit: 1000, maxGang: 1024, clusterMaxGang: 1024 }

onEveryDatabase('peeking', (t) => {
  test('gives higher priorities first, then earlier submissions', async () => {
    const jobs = [0, 5, -5, 5].map((priority) => newJob({ priority }))
    await t.insert(...jobs)
    const [a, b, c, d] = jobs.map(({ job }) => job.id)
    expect((await peekQueued(t.store, ALL)).map(({ id }) => id)).toEqual([b, d, a, c])
  })

  test('leaves out what only a larger node can run, but not what no node can', async () => {
    const jobs = [2, 8, 64].map((gang) => newJob({ gang, threadDemand: gang }))
    await t.insert(...jobs)
    const queued = await peekQueued(t.store, { limit: 10, maxGang: 4, clusterMaxGang: 8 })
    expect(queued.map(({ gang }) => gang)).toEqual([2, 64])
    expect(queued[0]).toEqual({
      id: jobs[0]!.job.id,
      type: 'add_numbers',
      priority: 0,
      rank: 0,
      gang: 2,
      threadDemand: 2,
      createdAt: jobs[0]!.job.createdAt,
      maxThreads: null,
      expectedMs: null,
      sizeClass: 0,
      timeoutMs: null,
    })
  })

  test('tells all of a job that a claim does not change', async () => {
    const given = newJob({ priority: 3, fairnessKey: 'a', maxAttempts: 3, expectedMs: 7 })
    await t.insert(given)
    expect(await peekJobs(t.store, ALL)).toEqual([given.job])
  })

  test('tells what most jobs have alike, and what sets one apart', async () => {
    const at = t.store.clock.now()
    const usual = newJob({ name: 'add_numbers', createdAt: at, runAt: at, priority: 1 })
    const special = newJob({
      ...{ name: 'sums', createdAt: at, runAt: at + 1, priority: 0, attempt: 2 },
      ...{ threadDemand: 8, gang: 4, maxThreads: 8, backoff: { baseMs: 1, maxMs: 2 } },
    })
    await t.insert(usual, special)
    expect(await peekJobs(t.store, ALL)).toEqual([usual.job, special.job])
  })

  test('leaves out types this node does not have, and jobs that wait for their time', async () => {
    const known = newJob()
    await t.insert(known, newJob({ type: 'other' }), newJob({ state: 'SCHEDULED' }))
    const queued = await peekQueued(t.store, { ...ALL, types: ['add_numbers'] })
    expect(queued.map(({ id }) => id)).toEqual([known.job.id])
  })
})

onEveryDatabase('claiming', (t) => {
  test('gives the job with its payload, running under the lease', async () => {
    const nodeId = await t.node()
    const given = newJob({ payload: { x: 1 } })
    await t.insert(given)
    const [claimed] = await claimJobs(t.store, nodeId, [
      { job: given.job, workerName: 'w', width: 4, widthReason: 'NO_WORKER_LARGE_ENOUGH' },
    ])
    expect(claimed?.payload).toBe('{"x":1}')
    expect(claimed?.job).toEqual({
      ...given.job,
      state: 'RUNNING',
      attempt: 1,
      nodeId,
      workerName: 'w',
      width: 4,
      widthReason: 'NO_WORKER_LARGE_ENOUGH',
      startedAt: expect.closeTo(t.store.clock.now(), -3),
      queueTimeMs: expect.any(Number),
    })
    expect(await t.read.job(given.job.id)).toEqual(claimed?.job)
    expect(await heldJobs(t.store, nodeId)).toEqual([claimed?.job])
  })

  test('gives a large payload whole, whatever characters are in it', async () => {
    const payload = JSON.stringify({ text: '😀 é "\\\u0000'.repeat(10_000) })
    const given = newJob({ payload })
    await t.insert(given)
    const [claimed] = await claimJobs(t.store, await t.node(), [claimOf(given.job)])
    expect(Buffer.from(claimed!.payload).toString()).toBe(payload)
  })

  test('a job is given to one of two nodes that ask at once', async () => {
    const [a, b] = [await t.node(), await t.node()]
    const jobs = newJobs(50)
    await t.insert(...jobs)
    const [first, second] = await Promise.all([t.claim(a, ...jobs), t.claim(b, ...jobs)])
    const claimed = [...first, ...second].map(({ id }) => id)
    expect(claimed.sort()).toEqual(jobs.map(({ job }) => job.id).sort())
  })

  test('a job that was tried by another node since it was looked at is not given', async () => {
    const [a, b] = [await t.node(), await t.node()]
    const given = newJob({ maxAttempts: 3 })
    await t.insert(given)
    const [tried] = await t.claim(a, given)
    await settleJobs(t.store, a, [settlementOf(tried!, { to: 'QUEUED', attemptsMade: 1 })])
    expect(await claimJobs(t.store, b, [claimOf(given.job)])).toEqual([])
    const [seen] = await peekJobs(t.store, ALL)
    const [claimed] = await claimJobs(t.store, b, [claimOf(seen!)])
    expect(claimed?.job).toMatchObject({ attempt: 2, nodeId: b })
  })

  test('a node without a lease is given nothing', async () => {
    const given = newJob()
    await t.insert(given)
    expect(await t.claim(randomUUID(), given)).toEqual([])
    const gone = await t.node()
    await removeNode(t.store, gone)
    expect(await t.claim(gone, given)).toEqual([])
  })
})

onEveryDatabase('settling', (t) => {
  test('one call ends and returns jobs, each in its own way', async () => {
    const nodeId = await t.node()
    const jobs = newJobs(5, { maxAttempts: 3 })
    await t.insert(...jobs)
    const [done, failed, cancelled, again, back] = (await t.claim(nodeId, ...jobs)) as [
      ...[Job, Job, Job, Job, Job],
    ]
    const error = { name: 'Error', message: 'no \u0000 luck', stack: 'at\n' }
    const runAt = t.store.clock.now() + 5000
    const { settled, refused } = await settleJobs(t.store, nodeId, [
      settlementOf(done, { to: 'COMPLETED', result: '{"sum":"\\u0000"}' }),
      settlementOf(failed, { to: 'FAILED', error }),
      settlementOf(cancelled, { to: 'CANCELLED' }),
      settlementOf(again, { to: 'SCHEDULED', runAt }),
      settlementOf(back, { to: 'QUEUED', attemptsMade: 0 }),
    ])
    expect(refused).toEqual([])
    const byId = new Map(settled.map((job) => [job.id, job]))
    expect(byId.get(done.id)).toMatchObject({ state: 'COMPLETED', attempt: 1, nodeId })
    expect(byId.get(failed.id)).toMatchObject({ state: 'FAILED', error })
    expect(byId.get(cancelled.id)).toMatchObject({ state: 'CANCELLED', error: null })
    expect(byId.get(again.id)).toMatchObject({
      state: 'SCHEDULED',
      runAt,
      attempt: 1,
      nodeId: null,
    })
    expect(byId.get(back.id)).toMatchObject({ state: 'QUEUED', attempt: 0, startedAt: null })
    const documents = await t.read.documents([done.id])
    expect(documents.get(done.id)?.result).toBe('{"sum":"\\u0000"}')
    for (const job of settled) expect(await t.read.job(job.id)).toEqual(job)
    expect(await heldJobs(t.store, nodeId)).toEqual([])
  })

  test('jobs that complete together come back as they are read, with what they tell of earlier attempts', async () => {
    const nodeId = await t.node()
    const jobs = newJobs(3, { maxAttempts: 3 })
    await t.insert(...jobs)
    const [once] = (await t.claim(nodeId, jobs[0]!)) as [Job]
    await settleJobs(t.store, nodeId, [settlementOf(once, { to: 'QUEUED', attemptsMade: 1 })])
    const claimed = await t.claim(nodeId, ...jobs)
    const { settled, refused } = await settleJobs(
      t.store,
      nodeId,
      claimed.map((job, n) =>
        settlementOf(job, { to: 'COMPLETED', result: `{"n":"\\u0000${n}"}` }),
      ),
    )
    expect(refused).toEqual([])
    expect(settled.map(({ attempt }) => attempt).toSorted()).toEqual([1, 1, 2])
    for (const job of settled) expect(await t.read.job(job.id)).toEqual(job)
    const documents = await t.read.documents(claimed.map(({ id }) => id))
    claimed.forEach(({ id }, n) => expect(documents.get(id)?.result).toBe(`{"n":"\\u0000${n}"}`))
  })

  test('of jobs that complete together, those whose lease is gone are refused and the others stored', async () => {
    const nodeId = await t.node()
    const jobs = newJobs(4)
    await t.insert(...jobs)
    const [first, gone, taken, last] = (await t.claim(nodeId, ...jobs)) as [Job, Job, Job, Job]
    await settleJobs(t.store, nodeId, [settlementOf(gone)])
    const { settled, refused } = await settleJobs(
      t.store,
      nodeId,
      [first, gone, { ...taken, attempt: 7 }, last].map((job) => settlementOf(job)),
    )
    expect(refused.toSorted()).toEqual([gone.id, taken.id].toSorted())
    expect(settled.map(({ id }) => id).toSorted()).toEqual([first.id, last.id].toSorted())
    for (const job of settled) expect(await t.read.job(job.id)).toEqual(job)
    expect((await t.read.job(taken.id))?.state).toBe('RUNNING')
  })

  test('the three times are those between submission, start and end', async () => {
    const createdAt = Math.floor(t.store.clock.now()) - 10_000
    const job = await t.finish(await t.node(), newJob({ createdAt, runAt: createdAt + 1000 }), {
      to: 'COMPLETED',
      result: '1',
      startedAt: createdAt + 3000,
      finishedAt: createdAt + 3250.5,
    })
    expect(job).toMatchObject({
      startedAt: createdAt + 3000,
      finishedAt: createdAt + 3250.5,
      queueTimeMs: 2000,
      executionTimeMs: 250.5,
      totalTimeMs: 3250.5,
    })
  })

  test('an outcome of another node, another attempt or a second time is refused', async () => {
    const nodeId = await t.node()
    const given = newJob()
    await t.insert(given)
    const [job] = (await t.claim(nodeId, given)) as [Job]
    const settle = (by: string, claimed: Job) => settleJobs(t.store, by, [settlementOf(claimed)])
    const refused = { settled: [], refused: [job.id] }
    expect(await settle(randomUUID(), job)).toEqual(refused)
    expect(await settle(nodeId, { ...job, attempt: 2 })).toEqual(refused)
    expect((await settle(nodeId, job)).settled).toHaveLength(1)
    expect(await settle(nodeId, job)).toEqual(refused)
  })
})
