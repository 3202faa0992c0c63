/**
 * Keeps every core busy for a long time and counts jobs that were taken for lost though nothing had died.
 *
 *   tsx bench/chaos/busy.ts [--minutes 30] [--lease 10000]
 *
 * Two nodes on a PostgreSQL and a Redis of its own, each with twice as many threads as there are cores, all
 * of them spinning. Prints one JSON document; exits with 1 on any false rescue.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { createClusterNode } from './cluster-node.ts'
import { sleep, startPostgres, startRedis } from './services.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    lease: { type: 'string', default: '10000' },
  },
})
const SPIN_MS = 5_000
const threads = os.availableParallelism() * 2
const endsAt = Date.now() + Number(values.minutes) * 60_000

const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-busy-'))
const postgres = await startPostgres()
const redis = await startRedis()
const pool = new pg.Pool({ connectionString: postgres.url, max: 1 })
const names = ['node-1', 'node-2']
const nodes = await Promise.all(
  names.map((name) =>
    createClusterNode({
      name,
      postgresPort: postgres.port,
      redisPort: redis.port,
      database: 'postgres',
      logFolder: folder,
      leaseMs: Number(values.lease),
      threads: [threads],
    }),
  ),
)
await Promise.all(nodes.map((node) => node.start()))

const waiting = async (): Promise<number> => {
  const { rows } = await pool.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM job WHERE state = 'QUEUED'",
  )
  return rows[0]?.n ?? 0
}
while (Date.now() < endsAt) {
  if ((await waiting()) < threads) {
    const jobs = Array.from({ length: 2 * threads }, () => ({
      type: 'spin',
      payload: { ms: SPIN_MS },
    }))
    const response = await fetch(`${nodes[0]?.url}/jobs/bulk`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jobs }),
    })
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  }
  await sleep(1_000)
}
while (((await pool.query('SELECT 1 FROM job LIMIT 1')).rowCount ?? 0) > 0) await sleep(500)

const { rows } = await pool.query<{ jobs: number; completed: number; retried: number }>(
  `SELECT count(*)::int AS jobs, (count(*) FILTER (WHERE state = 'COMPLETED'))::int AS completed,
    (count(*) FILTER (WHERE attempt > 1))::int AS retried FROM job_history`,
)
const complaints = names.flatMap((name) =>
  readFileSync(path.join(folder, `${name}.log`), 'utf8')
    .split('\n')
    .filter((line) => /declared dead|cannot be reached|were rescued/.test(line)),
)
await Promise.all(nodes.map((node) => node.close()))
await pool.end()
await redis.stop()
await postgres.stop()
rmSync(folder, { recursive: true, force: true })
const answer = { minutes: Number(values.minutes), threadsPerNode: threads, ...rows[0], complaints }
process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`)
process.exit(complaints.length > 0 || (rows[0]?.retried ?? 0) > 0 ? 1 : 0)
