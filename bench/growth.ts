/**
 * Whether the cost of taking and ending jobs stays flat as the queue and the history grow:
 *
 *   node --import tsx bench/growth.ts --url postgresql://… [--queued 1000,100000,1000000,5000000]
 *     [--history 20000000] [--drain 20000] [--rounds 20]
 *
 * In a database of its own, which is filled by SQL and dropped at the end: 20 million rows of history and 5
 * million jobs take some 12 GB. For each length of the queue: a look at its head, a claim and a settlement
 * of 500 jobs each (medians, ms), and how many jobs a second a real node with two threads drains from it;
 * at the end once more with the history. Prints JSON.
 */
import { randomUUID } from 'node:crypto'
import os from 'node:os'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { log } from '../server/src/log.ts'
import { claimJobs } from '../server/src/store/claim.ts'
import { registerNode } from '../server/src/store/nodes.ts'
import { openStore, type Store } from '../server/src/store/open.ts'
import { peekJobs } from '../server/src/store/peek.ts'
import { settleJobs } from '../server/src/store/settle.ts'
import { readConfig, startApp, type App } from './built-app.ts'
import { fillHistory, fillQueue } from './fill.ts'
import { createOwnDatabase } from './own-database.ts'
import { median } from './median.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    queued: { type: 'string', default: '1000,100000,1000000,5000000' },
    history: { type: 'string', default: '20000000' },
    drain: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '20' },
  },
})
if (!values.url) throw new Error('--url postgresql://… is needed')
const sizes = values.queued.split(',').map(Number)
const history = Number(values.history)
const rounds = Number(values.rounds)
/** What a node looks at, and what it claims and settles at most in one statement. */
const WINDOW = 1000
const BATCH = 500

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const medianMs = (list: number[]): number => Math.round(median(list) * 100) / 100
const note = (text: string): void => void process.stderr.write(`${text}\n`)

interface Costs {
  peekMs: number
  claimMs: number
  settleMs: number
}

/** Each round takes 500 jobs from the head of the queue and ends them, as a node does. */
async function measureStatements(store: Store): Promise<Costs> {
  const nodeId = randomUUID()
  await registerNode(store, { id: nodeId, name: 'bench', roles: [], workers: [], maxThreads: 8 })
  const times = { peek: [] as number[], claim: [] as number[], settle: [] as number[] }
  const timed = async <T>(list: number[], work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now()
    const result = await work()
    list.push(performance.now() - startedAt)
    return result
  }
  for (let round = 0; round < rounds; round += 1) {
    const rows = await timed(times.peek, () =>
      peekJobs(store, { limit: WINDOW, maxGang: 8, clusterMaxGang: 8 }),
    )
    const claims = rows
      .slice(0, BATCH)
      .map((job) => ({ job, workerName: 'w', width: 1, widthReason: 'AS_DEMANDED' as const }))
    const claimed = await timed(times.claim, () => claimJobs(store, nodeId, claims))
    const settlements = claimed.map(({ job }) => ({
      job,
      id: job.id,
      attempt: job.attempt,
      startedAt: job.startedAt ?? 0,
      finishedAt: store.clock.now(),
      attempts: [],
      to: 'COMPLETED' as const,
      result: '3',
    }))
    const { settled } = await timed(times.settle, () => settleJobs(store, nodeId, settlements))
    if (settled.length < Math.min(BATCH, rows.length)) throw new Error('jobs were refused')
  }
  await store.pool.query('DELETE FROM node')
  return {
    peekMs: medianMs(times.peek),
    claimMs: medianMs(times.claim),
    settleMs: medianMs(times.settle),
  }
}

async function ended(app: App, jobs: number): Promise<number> {
  while (app.scheduler.stats().ended.COMPLETED < jobs) await sleep(2)
  return performance.now()
}

/** Jobs a second of a node that has just started, from its first ended ones on. */
async function measureDrain(url: string, jobs: number): Promise<number> {
  const app = await startApp(
    readConfig({
      API_PORT: '0',
      LOG_LEVEL: 'error',
      DATABASE_URL: url,
      WORKER_1_THREADS: '2',
      WORKER_2_THREADS: '0',
    }),
  )
  try {
    const from = app.scheduler.stats().ended.COMPLETED
    const first = Math.ceil(jobs / 10)
    const startedAt = await ended(app, from + first)
    const counted = app.scheduler.stats().ended.COMPLETED
    const endedAt = await ended(app, jobs)
    const done = app.scheduler.stats().ended.COMPLETED - counted
    return Math.round((done / (endedAt - startedAt)) * 1000)
  } finally {
    await app.close()
  }
}

/** The next job's number: those before it were taken or still wait. */
let numbered = 0

/** Makes the queue as long as this, as autovacuum and a checkpoint would have left it. */
async function grow(store: Store, length: number): Promise<void> {
  const { rows } = await store.pool.query<{ jobs: number }>('SELECT count(*)::int AS jobs FROM job')
  const missing = length - (rows[0]?.jobs ?? 0)
  if (missing > 0) {
    await fillQueue(store.pool, { from: numbered, to: numbered + missing })
    numbered += missing
  }
  await store.pool.query('VACUUM (ANALYZE) job')
  // Allowed to few; without one what was filled is written out while others are measured.
  await store.pool.query('CHECKPOINT').catch(() => undefined)
}

async function measure(queued: number) {
  const drained = Number(values.drain)
  // What the measurement takes away comes on top, so that a short queue does not run dry under it.
  await grow(patient, queued + rounds * BATCH)
  const statements = await measureStatements(store)
  await grow(patient, queued + drained)
  const drainedPerSecond = await measureDrain(database.url, drained)
  const size = { queued, ...statements, drainedPerSecond }
  note(JSON.stringify(size))
  return size
}

log.level = 'error'
const database = await createOwnDatabase(values.url)
const filler = new pg.Pool({
  connectionString: database.url,
  max: 2,
  options: '-c synchronous_commit=off -c maintenance_work_mem=1GB',
})
const store = await openStore({ url: database.url, dataDir: '', poolSize: 2 })
// The store's own connections give a statement 30 s: what fills has no limit.
const patient: Store = { ...store, pool: filler }
try {
  const emptyHistory: unknown[] = []
  for (const queued of sizes) {
    emptyHistory.push(await measure(queued))
  }
  const withHistory: unknown[] = []
  if (history > 0) {
    note(`filling ${history} rows of history`)
    await fillHistory(filler, history)
    withHistory.push(await measure(Math.max(...sizes)))
  }
  const report = {
    on: { node: process.version, cores: os.availableParallelism(), batch: BATCH, rounds },
    emptyHistory,
    history,
    withHistory,
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
} finally {
  await store.close()
  await filler.end()
  await database.drop()
}
