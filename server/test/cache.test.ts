import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { connectRedis } from '../src/bus/connect.ts'
import type { Job } from '../src/core/job.ts'
import type { JobCache } from '../src/store/cache/cache.ts'
import { createMemoryCache } from '../src/store/cache/memory.ts'
import { createRedisCache } from '../src/store/cache/redis.ts'
import { newJob } from './new-jobs.ts'
import { startProxy } from './proxy.ts'
import { dropPrefix, newPrefix } from './redis.ts'
import { haveRedis, redisUrl } from './services.ts'

const prefix = newPrefix()
const withRedis = await haveRedis()
const open: JobCache[] = []
const redisCache = (url = redisUrl): JobCache =>
  createRedisCache(connectRedis(url, 'commands'), prefix)
const opened = async (cache: JobCache): Promise<JobCache> => {
  open.push(cache)
  await vi.waitFor(() => expect(cache.healthy()).toBe(true), 5000)
  return cache
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((cache) => cache.close()))
})
afterAll(async () => {
  if (withRedis) await dropPrefix(prefix)
})

const kinds = [{ kind: 'memory', create: () => createMemoryCache() }]
if (withRedis) kinds.push({ kind: 'Redis', create: () => redisCache() })
const running = (job: Job): Job => ({ ...job, state: 'RUNNING', attempt: job.attempt + 1 })

describe.each(kinds)('a job cache in $kind', ({ create }) => {
  test('gives an active job as it was told, and the last state of it', async () => {
    const cache = await opened(create())
    const { job } = newJob({ name: 'ü "\u0000' })
    expect(await cache.get(job.id)).toBeNull()
    cache.add([job])
    await vi.waitFor(async () => expect(await cache.get(job.id)).toEqual(job))
    const later = { ...running(job), progress: 0.5 }
    await cache.put([later])
    expect(await cache.get(job.id)).toEqual(later)
  })

  test('forgets a job that has ended, at once, and does not take it for ended when it is retried', async () => {
    const cache = await opened(create())
    const job = { ...running(newJob().job), progress: 0.1 }
    await cache.put([job])
    expect(await cache.get(job.id)).toEqual(job)
    await cache.put([{ ...job, state: 'COMPLETED' }])
    expect(await cache.get(job.id)).toBeNull()
    const retried: Job = { ...job, state: 'QUEUED', progress: null }
    await cache.put([retried])
    const again = { ...running(retried), progress: 0.1 }
    await cache.put([again])
    expect(await cache.get(job.id)).toEqual(again)
  })

  test('takes thousands at once', async () => {
    const cache = await opened(create())
    const jobs = Array.from({ length: 2500 }, () => newJob().job)
    await cache.put(jobs)
    expect(await cache.get(jobs[0]!.id)).toEqual(jobs[0])
    expect(await cache.get(jobs[2499]!.id)).toEqual(jobs[2499])
  })
})

test('a cache in memory holds so many jobs, and more when some have ended', async () => {
  const cache = createMemoryCache(3)
  const jobs = Array.from({ length: 4 }, () => newJob().job)
  await cache.put(jobs)
  expect(await cache.get(jobs[0]!.id)).toEqual(jobs[0])
  expect(await cache.get(jobs[3]!.id)).toBeNull()
  await cache.put([{ ...jobs[0]!, state: 'COMPLETED' }, jobs[3]!])
  expect(await cache.get(jobs[3]!.id)).toEqual(jobs[3])
})

test('a cache in memory leaves a job that only runs here to the table, until it tells of its progress', async () => {
  const cache = createMemoryCache()
  const job = running(newJob().job)
  await cache.put([job])
  expect(await cache.get(job.id)).toBeNull()
  const told = { ...job, progress: 0.25 }
  await cache.put([told])
  expect(await cache.get(job.id)).toEqual(told)
})

describe.runIf(withRedis)('a job cache that nodes share', () => {
  const key = (job: Job): string => `{${prefix}job}:${job.id}`

  test('a job that starts and ends between two ticks is never written', async () => {
    const cache = await opened(redisCache())
    const redis = connectRedis(redisUrl, 'subscriber')
    const { job } = newJob()
    const later = newJob().job
    cache.add([job, later])
    await cache.put([running(job)])
    await cache.put([{ ...running(job), state: 'COMPLETED' }])
    await vi.waitFor(async () => expect(await cache.get(later.id)).toEqual(later))
    expect(await redis.exists(key(job))).toBe(0)
    await redis.quit()
  })

  test('what was known of a job is over when it starts, on whatever node, and it is known again when it runs on', async () => {
    const [a, b] = [await opened(redisCache()), await opened(redisCache())]
    const { job } = newJob()
    a.add([job])
    await vi.waitFor(async () => expect(await b.get(job.id)).toEqual(job))
    await b.put([running(job)])
    expect(await a.get(job.id)).toBeNull()
    await vi.waitFor(async () => expect(await a.get(job.id)).toEqual(running(job)))
  })

  test('a write that comes late changes nothing', async () => {
    const [a, b] = [await opened(redisCache()), await opened(redisCache())]
    const { job } = newJob()
    const now = { ...running(job), progress: 0.5 }
    await a.put([now])
    await b.put([{ ...now, state: 'COMPLETED' }])
    await a.put([job, { ...now, progress: 0.6 }])
    expect(await b.get(job.id)).toBeNull()
  })

  test('of many jobs that wait it takes so many, and of the others it says nothing wrong', async () => {
    const cache = await opened(redisCache())
    const jobs = Array.from({ length: 25_000 }, () => newJob().job)
    cache.add(jobs)
    await vi.waitFor(async () => expect(await cache.get(jobs[0]!.id)).toEqual(jobs[0]), 5000)
    const last = jobs.at(-1)!
    expect(await cache.get(last.id)).toBeNull()
    // Known before, as it runs.
    await cache.put([{ ...running(last), progress: 0.5 }])
    expect(await cache.get(last.id)).toEqual({ ...running(last), progress: 0.5 })
    await cache.put([{ ...last, state: 'SCHEDULED', attempt: 1 }])
    expect(await cache.get(last.id)).toBeNull()
  })

  test('with Redis away it knows nothing and throws nothing, and is back by itself', async () => {
    const proxy = await startProxy(redisUrl)
    const cache = await opened(redisCache(proxy.through(redisUrl)))
    const jobs = Array.from({ length: 3 }, () => ({ ...running(newJob().job), progress: 0.5 }))
    await cache.put(jobs)
    expect(await cache.get(jobs[0]!.id)).toEqual(jobs[0])
    proxy.cut()
    await vi.waitFor(() => expect(cache.healthy()).toBe(false))
    expect(await cache.get(jobs[0]!.id)).toBeNull()
    await cache.put([{ ...jobs[0]!, state: 'COMPLETED' }])
    proxy.mend()
    await vi.waitFor(() => expect(cache.healthy()).toBe(true), 10_000)
    // It ended meanwhile, and Redis has it as it was. Of what else it has nobody can be sure.
    expect(await cache.get(jobs[0]!.id)).toBeNull()
    expect(await cache.get(jobs[1]!.id)).toBeNull()
    await cache.put([{ ...jobs[2]!, progress: 0.6 }])
    expect(await cache.get(jobs[2]!.id)).toEqual({ ...jobs[2]!, progress: 0.6 })
    await cache.close()
    await proxy.close()
  })

  test('after a connection broke nothing is believed that was written before: a replica may have taken over', async () => {
    const proxy = await startProxy(redisUrl)
    const cache = await opened(redisCache(proxy.through(redisUrl)))
    const job = { ...running(newJob().job), progress: 0.5 }
    await cache.put([job])
    expect(await cache.get(job.id)).toEqual(job)
    proxy.cut()
    await vi.waitFor(() => expect(cache.healthy()).toBe(false))
    proxy.mend()
    await vi.waitFor(() => expect(cache.healthy()).toBe(true), 10_000)
    expect(await cache.get(job.id)).toBeNull()
    await cache.close()
    await proxy.close()
  })
})
