/**
 * Whether memory comes back: the heap of the server process and the resident size of its worker process,
 * before and after many jobs and many threads that had to be ended.
 *
 *   node --expose-gc --import tsx bench/memory.ts [--jobs 200000] [--threads 500] [--url postgresql://…]
 *
 * Both are measured after a first share of the same work, so that what is loaded once does not count.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startApp, type App } from '../server/src/app.ts'
import { readConfig } from '../server/src/config.ts'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '200000' },
    threads: { type: 'string', default: '500' },
    url: { type: 'string' },
  },
})
const MIB = 1024 * 1024
const BATCH = 1000
const IN_FLIGHT = 20_000
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const spin = `
import { defineJob } from 'heddle'
import { z } from 'zod'
export default defineJob({ type: 'spin', payload: z.object({}), maxAttempts: 1, timeoutMs: 20, run() { for (;;); } })`

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
  const own = readdirSync('/proc').filter((name) => {
    try {
      return (
        readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] ===
        String(process.pid)
      )
    } catch {
      return false
    }
  })
  const kib = own.map((pid) =>
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

if (!globalThis.gc) throw new Error('start it with --expose-gc')
const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-memory-'))
writeFileSync(path.join(folder, 'spin.mjs'), spin)
const app = await startApp(
  readConfig({
    API_PORT: '0',
    LOG_LEVEL: 'error',
    DATA_DIR: path.join(folder, 'data'),
    JOBS_DIR: folder,
    WORKER_1_THREADS: '4',
    WORKER_2_THREADS: '0',
    ...(values.url === undefined ? {} : { DATABASE_URL: values.url }),
  }),
)
try {
  await work(app, Number(values.jobs) / 10, Number(values.threads) / 10)
  const before = await measure()
  await work(app, Number(values.jobs), Number(values.threads))
  const after = await measure()
  const answer = { jobs: Number(values.jobs), threadsEnded: Number(values.threads), before, after }
  process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`)
} finally {
  await app.close()
  rmSync(folder, { recursive: true, force: true })
}
