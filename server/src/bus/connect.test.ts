import { Cluster, type Redis } from 'ioredis'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { startProxy } from '../../test/proxy.ts'
import { haveRedis, redisUrl } from '../../test/services.ts'
import { log } from '../log.ts'
import { connectRedis, type RedisClient } from './connect.ts'

const withRedis = await haveRedis()
const open: RedisClient[] = []
const connect = (url: string, role: 'commands' | 'subscriber' = 'commands'): RedisClient => {
  const client = connectRedis(url, role)
  open.push(client)
  return client
}
afterEach(() => {
  for (const client of open.splice(0)) client.disconnect()
})

describe('connecting to Redis', () => {
  test('a plain URL names one server', () => {
    const { options } = connect('redis://me:s%3Aecret@127.0.0.1:1/3') as Redis
    expect(options).toMatchObject({
      host: '127.0.0.1',
      port: 1,
      db: 3,
      username: 'me',
      password: 's:ecret',
      enableOfflineQueue: false,
    })
    expect(options.tls).toBeUndefined()
  })

  test('rediss asks for TLS', () => {
    expect((connect('rediss://127.0.0.1:1') as Redis).options.tls).toBeTruthy()
  })

  test('a sentinel URL names the sentinels and the primary', () => {
    const { options } = connect('redis-sentinel://:pw@127.0.0.1:1,127.0.0.2/main/2') as Redis
    expect(options).toMatchObject({
      name: 'main',
      db: 2,
      password: 'pw',
      sentinels: [
        { host: '127.0.0.1', port: 1 },
        { host: '127.0.0.2', port: 26379 },
      ],
    })
  })

  test('a cluster URL names some of its servers', () => {
    const cluster = connect('rediss-cluster://me:pw@127.0.0.1:1,[::1]:2')
    expect(cluster).toBeInstanceOf(Cluster)
    expect((cluster as Cluster).options.redisOptions).toMatchObject({
      username: 'me',
      password: 'pw',
      tls: {},
    })
  })

  test('a subscriber waits for the server, where commands fail at once', async () => {
    const { options } = connect('redis://127.0.0.1:1', 'subscriber') as Redis
    expect(options).toMatchObject({ maxRetriesPerRequest: null, enableOfflineQueue: true })
    await expect(connect('redis://127.0.0.1:1').get('x')).rejects.toThrow()
  })

  test.each(['http://127.0.0.1', 'redis-sentinel://127.0.0.1', 'nonsense'])(
    '%s is refused',
    (url) => {
      expect(() => connectRedis(url, 'commands')).toThrow(TypeError)
    },
  )

  test.runIf(withRedis)('an outage is told once when it begins and once when it ends', async () => {
    const warn = vi.spyOn(log, 'warn')
    const info = vi.spyOn(log, 'info')
    const proxy = await startProxy(redisUrl)
    const client = connect(proxy.through(redisUrl), 'subscriber')
    const reconnecting = vi.fn()
    client.on('reconnecting', reconnecting)
    await client.ping()
    proxy.cut()
    await vi.waitFor(() => expect(reconnecting.mock.calls.length).toBeGreaterThan(3), 10_000)
    expect(warn).toHaveBeenCalledTimes(1)
    proxy.mend()
    await vi.waitFor(() => expect(info).toHaveBeenCalledTimes(1), 10_000)
    await client.quit()
    expect(warn).toHaveBeenCalledTimes(1)
    await proxy.close()
    vi.restoreAllMocks()
  })
})
