/**
 * Whether memory comes back, and does not follow the length of the queue:
 *
 *   node --expose-gc --import tsx bench/memory.ts [--jobs 200000] [--threads 500] [--queued 1000000]
 *     [--url postgresql://…]
 *
 * `worked`: the heap of the server process and the resident size of its worker process, before and after
 * many jobs and many threads that had to be ended. Both are measured after a first share of the same work,
 * so that what is loaded once does not count.
 * `waiting`, with --url: the same before and after a million jobs were queued, in a database of its own,
 * behind jobs that hold all threads.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { readConfig, startApp, type App } from './built-app.ts'
import { childrenOf } from './built-server.ts'
import { fillQueue } from './fill.ts'
import { createOwnDatabase } from './own-database.ts'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '200000' },
    threads: { type: 'string', default: '500' },
    queued: { type: 'string', default: '1000000' },
    url: { type: 'string' },
  },
})
const MIB = 1024 * 1024
const BATCH = 1000
const IN_FLIGHT = 20_000
const THREADS = 4
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const types = `
import { defineJob } from 'heddle'
import { z } from 'zod'
export default [
  defineJob({ type: 'spin', payload: z.object({}), maxAttempts: 1, timeoutMs: 20, run() { for (;;); } }),
  defineJob({ type: 'hold', payload: z.object({}), run: (_, { signal }) =>
    new Promise((resolve) => signal.addEventListener('abort', resolve)) }),
]`

const ended = (app: App): number =>
  Object.values(app.scheduler.stats().ended).reduce((sum, count) => sum + count, 0)

async function untilLeft(app: App, left: number): Promise<void> {
  while (app.scheduler.stats().submitted - ended(app) > left) await sleep(5)
}

async function work(app: App, jobs: number, threads: number): Promise<void> {
  for (let from = 0; from < jobs; from += BATCH) {
    await untilLeft(app, IN_FLIGHT)
    await app.scheduler.submit(
      Array.from({ length: Math.min(BATCH, jobs - from) }, (_, n) => ({
        type: 'add_numbers',
        payload: { a: n, b: 1 },
      })),
    )
  }
  await app.scheduler.submit(Array.from({ length: threads }, () => ({ type: 'spin', payload: {} })))
  await untilLeft(app, 0)
}

/** Resident MiB of the processes that this one has started. */
function workersMib(): number {
  const kib = childrenOf(process.pid).map((pid) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
  )
  return kib.reduce((sum, size) => sum + size, 0) / 1024
}

async function measure(): Promise<{ serverHeapMib: number; workersMib: number }> {
  // Caches and buffers of the last turn go first.
  await sleep(3_000)
  globalThis.gc?.()
  await sleep(200)
  globalThis.gc?.()
  const round = (mib: number): number => Math.round(mib * 10) / 10
  return {
    serverHeapMib: round(process.memoryUsage().heapUsed / MIB),
    workersMib: round(workersMib()),
  }
}

const start = (url: string | undefined): Promise<App> =>
  startApp(
    readConfig({
      API_PORT: '0',
      LOG_LEVEL: 'error',
      DATA_DIR: path.join(folder, 'data'),
      JOBS_DIR: folder,
      WORKER_1_THREADS: String(THREADS),
      WORKER_2_THREADS: '0',
      ...(url === undefined ? {} : { DATABASE_URL: url }),
    }),
  )

async function measureWorked() {
  const app = await start(values.url)
  try {
    await work(app, Number(values.jobs) / 10, Number(values.threads) / 10)
    const before = await measure()
    await work(app, Number(values.jobs), Number(values.threads))
    const after = await measure()
    return { jobs: Number(values.jobs), threadsEnded: Number(values.threads), before, after }
  } finally {
    await app.close()
  }
}

async function measureWaiting(serverUrl: string) {
  const database = await createOwnDatabase(serverUrl)
  const pool = new pg.Pool({ connectionString: database.url, max: 1 })
  const app = await start(database.url)
  try {
    const holding = Array.from({ length: THREADS }, () => ({ type: 'hold', payload: {} }))
    const held = await app.scheduler.submit(holding.map((job) => ({ ...job, priority: 1000 })))
    while (app.scheduler.stats().busyThreads < THREADS) await sleep(5)
    const before = await measure()
    const queued = Number(values.queued)
    await fillQueue(pool, { from: 0, to: queued })
    // Twice, so that the node has surely looked at the queue as it is now.
    for (let wake = 0; wake < 2; wake += 1) {
      await pool.query(`NOTIFY heddle_wake`)
      await sleep(1_000)
    }
    const after = await measure()
    await pool.query(`DELETE FROM job WHERE state = 'QUEUED'`)
    await app.scheduler.cancel(held.map(({ id }) => id))
    return { queued, before, after }
  } finally {
    await app.close()
    await pool.end()
    await database.drop()
  }
}

if (!globalThis.gc) throw new Error('start it with --expose-gc')
const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-memory-'))
writeFileSync(path.join(folder, 'types.mjs'), types)
try {
  const waiting = values.url === undefined ? null : await measureWaiting(values.url)
  const worked = Number(values.jobs) > 0 ? await measureWorked() : null
  process.stdout.write(`${JSON.stringify({ worked, waiting }, null, 2)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
