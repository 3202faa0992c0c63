/**
 * How long from a cancel to the end of a job that spins and never looks up, and to its thread being free.
 *
 *   tsx bench/cancel.ts [--jobs 40]
 *
 * On the embedded database, one job after the other. Prints one JSON document, in ms.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { percentile } from '../server/src/core/metrics.ts'
import { readConfig, startApp } from './built-app.ts'

const { values } = parseArgs({ options: { jobs: { type: 'string', default: '40' } } })
const count = Number(values.jobs)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const dataDir = mkdtempSync(path.join(os.tmpdir(), 'heddle-cancel-'))
const app = await startApp(
  readConfig({
    API_PORT: '0',
    LOG_LEVEL: 'error',
    DATA_DIR: dataDir,
    JOBS_DIR: path.join(import.meta.dirname, 'chaos/jobs'),
    WORKER_1_THREADS: '2',
    WORKER_2_THREADS: '0',
  }),
)
const { scheduler } = app
const times: number[] = []
for (let n = 0; n < count; n += 1) {
  const [job] = await scheduler.submit([{ type: 'spin', payload: { ms: 600_000 } }])
  if (!job) throw new Error('no job came back')
  while (scheduler.stats().busyThreads === 0) await sleep(1)
  // It has a thread; now it is to be in its loop.
  await sleep(100)
  const before = scheduler.stats().ended.CANCELLED
  const startedAt = performance.now()
  await scheduler.cancel([job.id])
  while (scheduler.stats().ended.CANCELLED === before || scheduler.stats().busyThreads > 0) {
    await sleep(1)
  }
  times.push(performance.now() - startedAt)
}
await app.close()
rmSync(dataDir, { recursive: true, force: true })
const at = (share: number): number => Math.round(percentile(times, share) ?? 0)
process.stdout.write(
  `${JSON.stringify({ jobs: count, p50: at(0.5), p95: at(0.95), max: at(1) }, null, 2)}\n`,
)
