import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { log } from '../log.ts'

/** A server, or a cluster seen as one. */
export type RedisClient = Redis | Cluster

/**
 * `commands` fails at once while Redis is away: what it would send is a hint or a cache entry, not worth
 * waiting or memory. `subscriber` waits as long as it takes and subscribes again by itself.
 */
export type RedisRole = 'commands' | 'subscriber'

const MAX_RECONNECT_MS = 2_000
const COMMAND_MS = 2_000

const optionsOf = (role: RedisRole): RedisOptions => ({
  connectTimeout: 5_000,
  keepAlive: 5_000,
  retryStrategy: (times) => Math.min(times * 100, MAX_RECONNECT_MS),
  // After a failover the old primary answers READONLY: connect anew, to be led to the new one.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
  ...(role === 'commands'
    ? {
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
        commandTimeout: COMMAND_MS,
      }
    : { maxRetriesPerRequest: null }),
})

/**
 * Connects in the background, and again after every break. URLs:
 *
 *   redis://[[user]:password@]host[:port][/db]                    rediss:// for TLS
 *   redis-sentinel://[[user]:password@]host[:port],…/name[/db]    rediss-sentinel://
 *   redis-cluster://[[user]:password@]host[:port],…               rediss-cluster://
 *
 * Throws a TypeError for any other.
 */
export function connectRedis(url: string, role: RedisRole): RedisClient {
  const client = open(url, role)
  reportOutages(client, role)
  return client
}

function open(url: string, role: RedisRole): RedisClient {
  const scheme = /^(redis|rediss)(-sentinel|-cluster)?:\/\//.exec(url)
  if (!scheme) {
    throw new TypeError(
      'The Redis URL must start with redis://, rediss://, redis-sentinel:// or redis-cluster://',
    )
  }
  const [prefix, protocol, kind] = scheme
  if (!kind) return new Redis(url, optionsOf(role))

  const { hosts, username, password, path } = readHosts(url.slice(prefix.length))
  const common: RedisOptions = {
    ...optionsOf(role),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(protocol === 'rediss' ? { tls: {} } : {}),
  }
  if (kind === '-cluster') {
    const { maxRetriesPerRequest, enableOfflineQueue, retryStrategy, ...redisOptions } = common
    return new Cluster(hosts, {
      redisOptions: { ...redisOptions, maxRetriesPerRequest },
      enableOfflineQueue: enableOfflineQueue ?? true,
      clusterRetryStrategy: retryStrategy as (times: number) => number,
    })
  }
  const [name, db] = path
  if (!name) throw new TypeError('A redis-sentinel:// URL ends with the name of the primary')
  return new Redis({
    ...common,
    name,
    sentinels: hosts.map(({ host, port }) => ({ host, port: port ?? 26379 })),
    ...(protocol === 'rediss' ? { enableTLSForSentinelMode: true } : {}),
    ...(db ? { db: Number(db) } : {}),
  })
}

interface Hosts {
  hosts: { host: string; port?: number }[]
  username: string
  password: string
  path: string[]
}

/** `URL` takes a single host only. */
function readHosts(rest: string): Hosts {
  const [authority = '', ...path] = rest.split('?')[0]!.split('/')
  const at = authority.lastIndexOf('@')
  const [username = '', ...password] = at < 0 ? [] : authority.slice(0, at).split(':')
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .map((entry) => {
      const { hostname, port } = new URL(`redis://${entry}`)
      const host = hostname.replace(/^\[|\]$/g, '')
      return port ? { host, port: Number(port) } : { host }
    })
  return {
    hosts,
    username: decodeURIComponent(username),
    password: decodeURIComponent(password.join(':')),
    path,
  }
}

/** One line when an outage begins and one when it ends, however often it is tried meanwhile. */
function reportOutages(client: RedisClient, role: RedisRole): void {
  let down = false
  client.on('error', (error: Error) => {
    if (down) return
    down = true
    log.warn({ role, error: error.message || error.name }, 'Redis cannot be reached')
  })
  // Not 'close', which also comes where the connection is ended on purpose.
  client.on('reconnecting', () => {
    if (down) return
    down = true
    log.warn({ role }, 'the connection to Redis broke')
  })
  client.on('ready', () => {
    if (down) log.info({ role }, 'Redis is back')
    down = false
  })
}

/** Ends a connection, whatever state it is in. */
export async function closeRedis(client: RedisClient): Promise<void> {
  if (client.status === 'end') return
  if (client.status === 'ready') await client.quit().catch(() => {})
  client.disconnect()
}
