import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import type { Bus } from '../src/bus/bus.ts'
import { connectRedis } from '../src/bus/connect.ts'
import { createMemoryBus } from '../src/bus/memory.ts'
import { createRedisBus } from '../src/bus/redis.ts'
import { startProxy, type Proxy } from './proxy.ts'
import { newJob } from './new-jobs.ts'
import { newPrefix } from './redis.ts'
import { haveRedis, redisUrl } from './services.ts'

const prefix = newPrefix()
const withRedis = await haveRedis()
const open: Bus[] = []

const memoryBus = (): Bus => createMemoryBus()
const redisBus = (nodeId = 'here', url = redisUrl): Bus =>
  createRedisBus({
    publisher: connectRedis(url, 'commands'),
    subscriber: connectRedis(url, 'subscriber'),
    prefix,
    nodeId,
  })
const opened = async (bus: Bus): Promise<Bus> => {
  open.push(bus)
  await vi.waitFor(() => expect(bus.healthy()).toBe(true), 5000)
  return bus
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()))
})

const kinds = [{ kind: 'memory', create: memoryBus }]
if (withRedis) kinds.push({ kind: 'Redis', create: () => redisBus() })

describe.each(kinds)('a bus in $kind', ({ create }) => {
  test('a listener hears each message once, later, in the order of publishing', async () => {
    const bus = await opened(create())
    const heard: unknown[] = []
    bus.subscribe('cancel', ({ ids }) => heard.push(...ids))
    bus.subscribe('wake', ({ nodeId }) => heard.push(nodeId))
    bus.publish('cancel', { ids: ['a'] })
    bus.publish('wake', { nodeId: 'b' })
    bus.publish('cancel', { ids: ['c', 'd'] })
    expect(heard).toEqual([])
    await vi.waitFor(() => expect(heard).toEqual(['a', 'b', 'c', 'd']))
    bus.publish('cancel', { ids: ['last'] })
    await vi.waitFor(() => expect(heard).toEqual(['a', 'b', 'c', 'd', 'last']))
  })

  test('a listener that throws does not keep others from hearing', async () => {
    const bus = await opened(create())
    const heard = vi.fn()
    bus.subscribe('wake', () => {
      throw new Error('broken listener')
    })
    bus.subscribe('wake', heard)
    bus.publish('wake', { nodeId: null })
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1))
  })

  test('an ended subscription is told nothing more, and its neighbour still is', async () => {
    const bus = await opened(create())
    const heard = vi.fn()
    const end = bus.subscribe('wake', heard)
    bus.subscribe('wake', heard)
    end()
    end()
    bus.publish('wake', { nodeId: null })
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1))
  })

  test('what was published before closing is still told here', async () => {
    const bus = await opened(create())
    const heard = vi.fn()
    bus.subscribe('wake', heard)
    bus.publish('wake', { nodeId: null })
    await bus.close()
    expect(heard).toHaveBeenCalledTimes(1)
  })
})

describe.runIf(withRedis)('a bus between nodes', () => {
  let proxy: Proxy | undefined
  afterAll(() => proxy?.close())

  /** two nodes that hear each other */
  const pair = async (url?: string): Promise<[Bus, Bus]> => {
    const [a, b] = [await opened(redisBus('a', url)), await opened(redisBus('b', url))]
    await connected(a, b)
    return [a, b]
  }
  const connected = async (a: Bus, b: Bus): Promise<void> => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const heard = vi.fn()
      const end = to.subscribe('workers', heard)
      await vi.waitFor(
        () => {
          from.publish('workers', { nodeId: 'probe', workers: [] })
          expect(heard).toHaveBeenCalled()
        },
        { timeout: 10_000, interval: 50 },
      )
      end()
    }
  }

  /** `b` has said that it listens to jobs, and `a` has heard it */
  const listens = async (a: Bus, b: Bus): Promise<void> => {
    const { job } = newJob()
    const heard = vi.fn()
    const end = b.subscribe('jobs', heard)
    await vi.waitFor(() => {
      a.publish('jobs', [job])
      expect(heard).toHaveBeenCalled()
    })
    // What was published meanwhile has arrived too.
    await connected(a, b)
    end()
  }

  test('jobs published in one tick arrive at another node complete, in order, in few messages', async () => {
    const [a, b] = await pair()
    const jobs = Array.from({ length: 1500 }, () => newJob({ name: 'ü\u0000'.repeat(200) }).job)
    const heard: string[] = []
    let messages = 0
    await listens(a, b)
    b.subscribe('jobs', (some) => {
      messages += 1
      heard.push(...some.map(({ id }) => id))
    })
    for (const job of jobs) a.publish('jobs', [job])
    await vi.waitFor(() => expect(heard).toHaveLength(1500), 10_000)
    expect(heard).toEqual(jobs.map(({ id }) => id))
    expect(messages).toBeGreaterThan(1)
    expect(messages).toBeLessThan(30)
  })

  test('a node hears its own messages once, not again from Redis', async () => {
    const [a, b] = await pair()
    const own: string[] = []
    a.subscribe('cancel', ({ ids }) => own.push(...ids))
    a.publish('cancel', { ids: ['mine'] })
    const done = vi.fn()
    b.subscribe('cancel', done)
    await vi.waitFor(() => expect(done).toHaveBeenCalled())
    b.publish('cancel', { ids: ['theirs'] })
    await vi.waitFor(() => expect(own).toEqual(['mine', 'theirs']))
  })

  test('with Redis away a node serves itself, says so, and is back by itself afterwards', async () => {
    proxy = await startProxy(redisUrl)
    const [a, b] = await pair(proxy.through(redisUrl))
    const heardByA = vi.fn()
    const wokenB = vi.fn()
    a.subscribe('cancel', heardByA)
    b.subscribe('wake', wokenB)

    proxy.cut()
    await vi.waitFor(() => expect(a.healthy()).toBe(false))
    a.publish('cancel', { ids: ['x'] })
    await vi.waitFor(() => expect(heardByA).toHaveBeenCalledTimes(1))

    proxy.mend()
    await vi.waitFor(() => expect(a.healthy() && b.healthy()).toBe(true), 10_000)
    await connected(a, b)
    // What was missed is in the tables: that is where a node looks when it is woken.
    expect(wokenB).toHaveBeenCalledWith({ nodeId: null })
  })

  test('a node that could not be heard for a while has the others look at the tables afterwards', async () => {
    const own = await startProxy(redisUrl)
    const a = await opened(redisBus('a', own.through(redisUrl)))
    const b = await opened(redisBus('b'))
    await connected(a, b)
    const woken = vi.fn()
    b.subscribe('wake', woken)
    await new Promise((resolve) => setImmediate(resolve))
    woken.mockClear()

    own.cut()
    await vi.waitFor(() => expect(a.healthy()).toBe(false))
    a.publish('cancel', { ids: [] })
    await new Promise((resolve) => setImmediate(resolve))
    expect(woken).not.toHaveBeenCalled()
    own.mend()
    await vi.waitFor(() => expect(woken).toHaveBeenCalledWith({ nodeId: null }), 10_000)
    await a.close()
    await own.close()
  })

  test('a node writes no jobs to Redis where nobody listens to them, and has who comes look at the tables', async () => {
    const [a, b] = await pair()
    const { job } = newJob()
    const written = vi.fn()
    const redis = connectRedis(redisUrl, 'subscriber')
    await redis.subscribe(`${prefix}bus:jobs`)
    redis.on('message', written)
    a.publish('jobs', [job])
    a.publish('cancel', { ids: [] })
    await connected(a, b)
    expect(written).not.toHaveBeenCalled()

    const events: string[] = []
    b.subscribe('wake', ({ nodeId }) => events.push(`wake ${nodeId}`))
    const end = b.subscribe('jobs', () => events.push('jobs'))
    // Once because it listens from now on, once because something has not been told before.
    await vi.waitFor(() => expect(events).toEqual(['wake null', 'wake null']))
    a.publish('jobs', [job])
    await vi.waitFor(() => expect(events).toEqual(['wake null', 'wake null', 'jobs']))
    end()
    await redis.quit()
  })

  test('a node that comes later tells jobs to those that have listened since before', async () => {
    const b = await opened(redisBus('b'))
    const heard: string[] = []
    b.subscribe('jobs', (jobs) => heard.push(...jobs.map(({ id }) => id)))
    // It has long said so.
    await new Promise((resolve) => setTimeout(resolve, 200))
    const a = await opened(redisBus('a'))
    const { job } = newJob()
    await vi.waitFor(() => {
      a.publish('jobs', [job])
      expect(heard).toContain(job.id)
    })
  })

  test('a node that can speak only after it can hear still finds out who listens', async () => {
    const b = await opened(redisBus('b'))
    const heard: string[] = []
    b.subscribe('jobs', (jobs) => heard.push(...jobs.map(({ id }) => id)))
    await new Promise((resolve) => setTimeout(resolve, 200))
    const mute = await startProxy(redisUrl)
    mute.cut()
    const publisher = connectRedis(mute.through(redisUrl), 'commands')
    const subscriber = connectRedis(redisUrl, 'subscriber')
    const a = createRedisBus({ publisher, subscriber, prefix, nodeId: 'a' })
    open.push(a)
    await vi.waitFor(() => expect(subscriber.status).toBe('ready'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    mute.mend()
    await vi.waitFor(() => expect(a.healthy()).toBe(true), 5000)
    const { job } = newJob()
    await vi.waitFor(() => {
      a.publish('jobs', [job])
      expect(heard).toContain(job.id)
    })
    await a.close()
    await mute.close()
  })

  test('of more jobs than a node can tell others, the last are left out, and others are told to look', async () => {
    const [a, b] = await pair()
    await listens(a, b)
    const events: (string | number)[] = []
    b.subscribe('wake', ({ nodeId }) => events.push(`wake ${nodeId}`))
    b.subscribe('jobs', (jobs) => events.push(jobs.length))
    a.publish(
      'jobs',
      Array.from({ length: 5000 }, () => newJob().job),
    )
    await vi.waitFor(() => expect(events).toContain('wake null'), 5000)
    const told = events.filter((event) => typeof event === 'number')
    expect(told.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(2000)
    expect(told.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(1000)
  })

  test('publishing while Redis takes nothing keeps no memory and never waits', async () => {
    const stalling = await startProxy(redisUrl)
    const bus = await opened(redisBus('a', stalling.through(redisUrl)))
    stalling.stall()
    const big = newJob({ name: 'x'.repeat(100_000) }).job
    const before = process.memoryUsage().heapUsed
    for (let round = 0; round < 40; round += 1) {
      for (let i = 0; i < 50; i += 1) bus.publish('jobs', [big])
      await new Promise((resolve) => setImmediate(resolve))
    }
    // 200 MB went in; a queue would hold it.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(120_000_000)
    stalling.mend()
    await bus.close()
    await stalling.close()
  })
})
