/**
 * Breaks a real cluster in every way it knows while jobs stream in, then reads the record.
 *
 *   npx tsx bench/chaos/run.ts [--jobs 10000] [--faults 50] [--nodes 3] [--seed 1] [--lease 10000] [--json]
 *
 * Starts a PostgreSQL and a Redis of its own. Exits with 1 when anything was lost, doubled or overlapped.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { check, type Verdict } from './check.ts'
import { createClusterNode, type ClusterNode } from './cluster-node.ts'
import { causeFaults, meanFaultMs, type FaultLog } from './faults.ts'
import { startLoad } from './load.ts'
import { sleep, startPostgres, startRedis } from './services.ts'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '10000' },
    faults: { type: 'string', default: '50' },
    nodes: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    lease: { type: 'string', default: '10000' },
    settle: { type: 'string', default: '180' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const number = (name: Exclude<keyof typeof values, 'json' | 'keep'>): number => Number(values[name])
const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** mulberry32: small, and the same sequence everywhere. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

async function untilDrained(pool: pg.Pool, seconds: number): Promise<boolean> {
  for (let waited = 0; waited < seconds * 2; waited += 1) {
    const { rows } = await pool.query<{ left: string }>('SELECT count(*) AS left FROM job')
    if (rows[0]?.left === '0') return true
    await sleep(500)
  }
  return false
}

function printTable(verdict: Verdict, faults: FaultLog[], seconds: number): void {
  const counts = new Map<string, number>()
  for (const { kind } of faults) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const row = (name: string, value: unknown): void => say(`  ${name.padEnd(34)}${String(value)}`)
  say('')
  row('accepted jobs', verdict.accepted)
  for (const [state, count] of Object.entries(verdict.outcomes)) row(`ended ${state}`, count)
  row('attempts run', verdict.attempts)
  row('of them reruns', verdict.reruns)
  for (const [kind, count] of counts) row(kind, count)
  if (verdict.rescue) {
    const { count, p50, p95, max } = verdict.rescue
    row('rescued after kill -9', count)
    row('  until running again, p50/p95/max', `${p50} / ${p95} / ${max} ms`)
  }
  for (const [name, ids] of Object.entries(verdict.violations))
    row(`violation: ${name}`, ids.length)
  row('seconds', Math.round(seconds))
  say('')
}

const random = seeded(number('seed'))
const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-chaos-'))
const record = path.join(folder, 'record.jsonl')
writeFileSync(record, '')
const startedAt = Date.now()
const postgres = await startPostgres()
const redis = await startRedis()
const pool = new pg.Pool({ connectionString: postgres.url, max: 2 })
pool.on('error', () => undefined)
const nodes: ClusterNode[] = []
let failed = true
try {
  for (let n = 1; n <= number('nodes'); n += 1) {
    nodes.push(
      await createClusterNode({
        name: `node-${n}`,
        postgresPort: postgres.port,
        redisPort: redis.port,
        database: 'postgres',
        logFolder: folder,
        leaseMs: number('lease'),
      }),
    )
  }
  await Promise.all(nodes.map((node) => node.start()))
  say(`${nodes.length} nodes are up, logs and record in ${folder}`)

  const load = startLoad({
    jobs: number('jobs'),
    urls: nodes.map(({ url }) => url),
    record,
    overMs: number('faults') * meanFaultMs(number('lease')),
    random,
  })
  const faults: FaultLog[] = []
  await causeFaults(
    number('faults'),
    { nodes, postgres, redis, leaseMs: number('lease'), random },
    (fault) => {
      faults.push(fault)
      say(
        `  ${String(faults.length).padStart(3)}  ${fault.kind} ${fault.target}  (${fault.lastedMs} ms)  accepted ${load.accepted.size}`,
      )
    },
  )
  await load.done
  const drained = await untilDrained(pool, number('settle'))
  if (!drained) say('some jobs did not end in time')
  const verdict = await check(pool, load.accepted, record, faults)
  printTable(verdict, faults, (Date.now() - startedAt) / 1000)
  if (values.json) process.stdout.write(`${JSON.stringify({ verdict, faults }, null, 2)}\n`)
  failed = Object.values(verdict.violations).some((ids) => ids.length > 0)
} finally {
  await Promise.all(nodes.map((node) => node.close()))
  await pool.end()
  await redis.stop()
  await postgres.stop()
  if (!failed && !values.keep) rmSync(folder, { recursive: true, force: true })
}
say(failed ? 'FAILED: the record shows violations' : 'Nothing lost, nothing doubled.')
process.exit(failed ? 1 : 0)
