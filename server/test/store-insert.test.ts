import { expect, test } from 'vitest'
import type { Job } from '../src/core/job.ts'
import { insertJobs } from '../src/store/insert.ts'
import { peekQueued } from '../src/store/peek.ts'
import { newJob, newJobs } from './new-jobs.ts'
import { onEveryDatabase } from './store-tools.ts'

const ALL = { limit: 1000, maxGang: 1024, clusterMaxGang: 1024 }

onEveryDatabase('inserting', (t) => {
  test('a job reads back as it was submitted', async () => {
    const at = t.store.clock.now()
    const fields = { createdAt: at, runAt: at, priority: 7, threadDemand: 3, gang: 3, timeoutMs: 5 }
    const given = newJob({ ...fields, name: 'O\'Néill "\\" {a,b} 😀' })
    expect(await t.insert(given)).toEqual([{ job: given.job, created: true }])
    expect(await t.read.job(given.job.id)).toEqual(given.job)
    expect(await t.read.job(given.job.id.toUpperCase())).toEqual(given.job)
  })

  // What all of a call have alike is not sent: that must not give one what another has.
  test('jobs that differ in one thing each read back as they were submitted', async () => {
    const at = Math.floor(t.store.clock.now())
    const apart: Partial<Job>[] = [
      {},
      { name: 'add_numbers' },
      { threadDemand: 3, gang: 3 },
      { threadDemand: 3, gang: 2, maxThreads: 4 },
      { runAt: at + 60_000, state: 'SCHEDULED' },
      { backoff: { baseMs: 1, maxMs: 2 } },
      { timeoutMs: 5 },
      { expectedMs: 6 },
      { maxAttempts: 7 },
      { fairnessKey: 'a tenant' },
    ]
    const jobs = apart.map((fields) => newJob({ createdAt: at, runAt: at, ...fields }))
    const calls = [
      jobs,
      ...apart.map((fields) => [newJob({ createdAt: at, runAt: at, ...fields })]),
    ]
    for (const call of calls) {
      await t.insert(...call)
      for (const { job } of call) expect(await t.read.job(job.id)).toEqual(job)
    }
  })

  test('payloads of every kind of JSON text come back as they went in', async () => {
    const payloads = [
      '{"a":"\\u0000"}',
      '"\\ud800"',
      '"😀 é"',
      '{"n":1e308,"m":-0,"big":12345678901234567890123,"a":1,"a":2}',
      JSON.stringify({ text: 'x\\"{},\n'.repeat(700_000) }),
      'null',
    ]
    const jobs = payloads.map((payload) => newJob({ payload }))
    await t.insert(...jobs)
    const documents = await t.read.documents(jobs.map(({ job }) => job.id))
    expect(jobs.map(({ job }) => documents.get(job.id)?.payload)).toEqual(payloads)
  })

  test('a thousand jobs go in with one call, in order of submission', async () => {
    const jobs = newJobs(1000)
    await t.insert(...jobs)
    const queued = await peekQueued(t.store, ALL)
    expect(queued.map(({ id }) => id)).toEqual(jobs.map(({ job }) => job.id))
  })

  test('the same key is answered with the first job, within one call and later', async () => {
    const [first, twin, other] = [newJob({ key: 'k' }), newJob({ key: 'k' }), newJob()]
    const results = await t.insert(first, twin, other)
    expect(results).toEqual([
      { job: first.job, created: true },
      { job: expect.objectContaining({ id: first.job.id }), created: false },
      { job: other.job, created: true },
    ])
    const [again] = await t.insert(newJob({ key: 'k' }))
    expect(again).toMatchObject({ created: false, job: { id: first.job.id, state: 'QUEUED' } })
  })

  test('a key is answered with the job as it is by then, ended ones too', async () => {
    const given = newJob({ key: 'k' })
    await t.finish(await t.node(), given)
    const [again] = await t.insert(newJob({ key: 'k' }))
    expect(again).toMatchObject({ created: false, job: { id: given.job.id, state: 'COMPLETED' } })
  })

  test('calls with the same keys at the same time make one job per key', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`)
    const calls = Array.from({ length: 8 }, (_, i) => {
      const ordered = i % 2 === 0 ? keys : [...keys].reverse()
      return t.insert(...ordered.map((key) => newJob({ key })))
    })
    const results = (await Promise.all(calls)).flat()
    expect(results.filter((result) => 'created' in result && result.created)).toHaveLength(20)
    const ids = new Set(results.map((result) => 'job' in result && result.job.id))
    expect(ids.size).toBe(20)
  })

  test('a full queue refuses a call whole, answers known keys, and takes more once there is room', async () => {
    const limit = { queueLimit: 3 }
    const known = newJob({ key: 'known' })
    await insertJobs(t.store, [known, newJob()], limit)
    expect(await insertJobs(t.store, newJobs(2), limit)).toEqual([
      { error: 'QUEUE_FULL' },
      { error: 'QUEUE_FULL' },
    ])
    expect(await insertJobs(t.store, [newJob(), newJob({ key: 'known' })], limit)).toEqual([
      { error: 'QUEUE_FULL' },
      { job: expect.objectContaining({ id: known.job.id }), created: false },
    ])
    expect(await insertJobs(t.store, newJobs(1), limit)).toMatchObject([{ created: true }])
    await t.store.pool.query('DELETE FROM job')
    await expect
      .poll(() => insertJobs(t.store, newJobs(1), limit))
      .toMatchObject([{ created: true }])
  })
})
