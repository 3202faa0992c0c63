/**
 * One job of 8 threads on a worker of 8, under a stream of one-thread jobs that never lets the queue run
 * empty: by the live product, and by the same build with its reservations taken out.
 *
 *   npx tsx bench/starvation.ts [--seconds 20] [--url postgresql://…]
 *
 * The jobs sleep, so that the machine's cores decide nothing. Without --url it runs on the embedded database.
 * Prints one JSON document: when the wide job started, what was told of its start when it was submitted, and
 * how long the small ones waited. `traces/starvation.ts` is the same for two hours, in simulated time.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Job } from '../server/src/core/job.ts'
import { readConfig, startApp, type App } from './built-app.ts'
import { createOwnDatabase } from './own-database.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, url: { type: 'string' } },
})
const THREADS = 8
/** Small jobs that wait or run at any moment. */
const AHEAD = 24
const SMALL_MS = [50, 250] as const
const WIDE_MS = 200
/** Until run times are learnt. */
const WARM_UP_MS = 3000
const LOOK_MS = 5
const streamMs = Number(values.seconds) * 1000

const types = `
import { defineJob } from 'heddle'
import { z } from 'zod'
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const split = ({ ms }, width) => Array(width).fill(ms)
const payload = z.object({ ms: z.number() })
export default [
  defineJob({ type: 'small', payload, run: ({ ms }) => sleep(ms) }),
  defineJob({ type: 'wide', payload, parallel: { split, run: sleep, merge: () => null } }),
]`

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Keeps small jobs coming until it is stopped. */
function stream(app: App) {
  const waits: number[] = []
  let active = 0
  let going = true
  app.bus.subscribe('jobs', (jobs) => {
    for (const { type, state, queueTimeMs } of jobs) {
      if (type !== 'small' || state !== 'COMPLETED') continue
      active -= 1
      waits.push(queueTimeMs ?? 0)
    }
  })
  const ended = (async () => {
    for (let n = 0; going; n += 1) {
      const missing = AHEAD - active
      active += missing
      const [least, most] = SMALL_MS
      const ms = least + ((n * 37) % (most - least))
      const small = { type: 'small', payload: { ms } }
      if (missing > 0) await app.scheduler.submit(Array.from({ length: missing }, () => small))
      await sleep(LOOK_MS)
    }
  })()
  return {
    waits,
    async stop() {
      going = false
      await ended
    },
  }
}

async function measure(folder: string, url: string | undefined, reservations: boolean) {
  const config = readConfig({
    API_PORT: '0',
    LOG_LEVEL: 'error',
    DATA_DIR: path.join(folder, String(reservations)),
    JOBS_DIR: path.join(folder, 'jobs'),
    WORKER_1_THREADS: String(THREADS),
    WORKER_2_THREADS: '0',
    ...(url === undefined ? {} : { DATABASE_URL: url }),
  })
  const app = await startApp({ ...config, reservations })
  const wide = { type: 'wide', threadDemand: THREADS, payload: { ms: WIDE_MS } }
  await completed(app, await app.scheduler.submit([wide]))
  const small = stream(app)
  await sleep(WARM_UP_MS)

  const submittedAt = performance.now()
  const [job] = await app.scheduler.submit([wide])
  if (!job) throw new Error('a submission of one job gave none back')
  const schedule = await app.scheduler.insight.schedule(job)
  const started = await Promise.race([startOf(app, job), sleep(streamMs).then(() => null)])
  const waitMs = started === null ? null : Math.round(performance.now() - submittedAt)
  const relative = (at: number | undefined): number | null =>
    at === undefined ? null : Math.round(at - job.createdAt)
  const estimate = schedule?.estimatedStart
  await sleep(Math.max(0, streamMs - (performance.now() - submittedAt)))
  await small.stop()
  await app.close()
  return {
    wideStartedAfterMs: waitMs ?? `not within ${streamMs}`,
    toldAtSubmission: { p50Ms: relative(estimate?.p50), p90Ms: relative(estimate?.p90) },
    smallOnes: small.waits.length,
    smallMeanWaitMs: Math.round(small.waits.reduce((sum, ms) => sum + ms, 0) / small.waits.length),
  }
}

const told = (app: App, { id }: Job, state: Job['state']): Promise<Job> =>
  new Promise((resolve) => {
    const unsubscribe = app.bus.subscribe('jobs', (jobs) => {
      const found = jobs.find((job) => job.id === id && job.state === state)
      if (!found) return
      unsubscribe()
      resolve(found)
    })
  })
const startOf = (app: App, job: Job): Promise<Job> => told(app, job, 'RUNNING')
async function completed(app: App, jobs: Job[]): Promise<void> {
  await Promise.all(jobs.map((job) => told(app, job, 'COMPLETED')))
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-starvation-'))
mkdirSync(path.join(folder, 'jobs'))
writeFileSync(path.join(folder, 'jobs', 'types.mjs'), types)
const report: Record<string, unknown> = { threads: THREADS, streamSeconds: streamMs / 1000 }
for (const [name, reservations] of [
  ['without', false],
  ['with', true],
] as const) {
  const database = values.url === undefined ? null : await createOwnDatabase(values.url)
  report[`${name} reservations`] = await measure(folder, database?.url, reservations)
  await database?.drop()
}
rmSync(folder, { recursive: true, force: true })
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
