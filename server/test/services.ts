import net from 'node:net'
import pg from 'pg'

/** Places of the real services that tests use where they answer. */
export const postgresUrl =
  process.env['TEST_POSTGRES_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/postgres'
export const redisUrl = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379'

const required = process.env['REQUIRE_SERVICES'] === '1'
const PROBE_MS = 2_000

function missing(name: string, url: string): false {
  const message = `${name} does not answer at ${url}`
  if (required) throw new Error(`${message}, and REQUIRE_SERVICES=1 wants its tests run`)
  process.stderr.write(`Skipping tests on ${name}: ${message}.\n`)
  return false
}

/** Whether tests on PostgreSQL can run. Throws instead of answering no where REQUIRE_SERVICES=1. */
export async function havePostgres(): Promise<boolean> {
  const client = new pg.Client({
    connectionString: postgresUrl,
    connectionTimeoutMillis: PROBE_MS,
  })
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return missing('PostgreSQL', postgresUrl)
  }
}

/** Whether tests on Redis can run. Throws instead of answering no where REQUIRE_SERVICES=1. */
export async function haveRedis(): Promise<boolean> {
  const { hostname, port } = new URL(redisUrl)
  const answers = await new Promise<boolean>((resolve) => {
    const socket = net.connect(Number(port || 6379), hostname, () => socket.write('PING\r\n'))
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(PROBE_MS, () => done(false))
    socket.once('error', () => done(false))
    socket.once('data', () => done(true)) // an answer of any kind: it may want a password first
  })
  return answers || missing('Redis', redisUrl)
}
