// Which of the things that some tests need are on this machine. The places are those of server/test/services.ts.
import net from 'node:net'
import { findChromium } from './chromium.mjs'

const PROBE_MS = 2_000
export const postgresUrl =
  process.env.TEST_POSTGRES_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres'
const redisUrl = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'

async function postgresAnswers() {
  // Loaded here because nothing is installed when this file is.
  const { default: pg } = await import('pg')
  const client = new pg.Client({
    connectionString: postgresUrl,
    connectionTimeoutMillis: PROBE_MS,
  })
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}

function redisAnswers() {
  const { hostname, port } = new URL(redisUrl)
  return new Promise((resolve) => {
    const socket = net.connect(Number(port || 6379), hostname, () => socket.write('PING\r\n'))
    const done = (answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(PROBE_MS, () => done(false))
    socket.once('error', () => done(false))
    socket.once('data', () => done(true))
  })
}

/** Looks for all of them; `missing` has a line for each that is not there. */
export async function lookForServices() {
  const [postgres, redis] = await Promise.all([postgresAnswers(), redisAnswers()])
  const chromium = findChromium()
  const missing = []
  if (!postgres) {
    const place = postgresUrl.replace(/:[^:@/]*@/, ':…@')
    missing.push(`tests on PostgreSQL: none answers at ${place} (TEST_POSTGRES_URL)`)
  }
  if (!redis) missing.push(`tests on Redis: none answers at ${redisUrl} (TEST_REDIS_URL)`)
  if (!chromium) {
    missing.push('tests in a browser: no Chromium or Chrome found (CHROMIUM=/path/to/it)')
  }
  return { postgres, redis, chromium, missing }
}
