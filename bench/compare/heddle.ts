/**
 * Measures Heddle at one work and prints one JSON line. The product as it is started by `npm start`, on
 * the PostgreSQL it is given: jobs on threads of a child process, results and history kept.
 */
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { readConfig, startApp, type App } from '../built-app.ts'
import {
  FILL,
  idealMs,
  jobsOf,
  numbersOf,
  submitAll,
  wallClock,
  type BenchJob,
  type Cell,
  type Measured,
} from './workload.mjs'

const cell = JSON.parse(process.argv[2] ?? '') as Cell
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const WARM_UP = 20
const WARM_UP_JOBS = 2000
const IDLE_MS = 5

const start = (roles: string): Promise<App> =>
  startApp(
    readConfig({
      API_PORT: '0',
      DATA_DIR: cell.folder,
      JOBS_DIR: path.join(import.meta.dirname, 'jobs'),
      DATABASE_URL: cell.postgresUrl,
      ROLES: roles,
      WORKER_1_THREADS: String(cell.cores),
      WORKER_2_THREADS: '0',
      LOG_LEVEL: 'error',
    }),
  )

/** `mixed` is of jobs of very different lengths, which their submitter knows. */
const expectedMs = (rounds: number, threads: number): number =>
  Math.max(1, Math.round(rounds / cell.roundsPerMs / threads))
const requestOf = ({ kind, payload, threads }: BenchJob) => ({
  type: threads > 1 ? 'spin_split' : kind,
  payload,
  threadDemand: threads,
  ...(cell.work === 'mixed' && { expectedMs: expectedMs(payload.rounds ?? 0, threads) }),
})
const sendTo =
  ({ scheduler }: App) =>
  (jobs: BenchJob[]) =>
    scheduler.submit(jobs.map(requestOf))

/** As `peers/tables.mjs` does for the peers. */
async function settleTables(): Promise<void> {
  const client = new pg.Client({ connectionString: cell.postgresUrl })
  await client.connect()
  await client.query('VACUUM ANALYZE')
  await client.query('CHECKPOINT').catch(() => undefined)
  await client.end()
}

/** Resolves when that many have completed, as the node tells its subscribers after the commit. */
const untilCompleted = ({ bus }: App, count: number): Promise<void> =>
  new Promise((resolve, reject) => {
    let completed = 0
    const unsubscribe = bus.subscribe('jobs', (jobs) => {
      for (const { state } of jobs) {
        if (state === 'COMPLETED') completed += 1
        if (state === 'FAILED' || state === 'CANCELLED') reject(new Error(`a job ended ${state}`))
      }
      if (completed < count) return
      unsubscribe()
      resolve()
    })
  })

/**
 * A node without workers fills the queue and is closed. Another comes up, and its first job holds all of
 * its threads: the clock starts when that job is let go, with the node up and the rest of the queue where
 * it was left, in the database.
 */
async function drain(): Promise<Measured> {
  const jobs = jobsOf(cell)
  const gate = path.join(cell.folder, 'gate')
  const filler = await start('api')
  await filler.scheduler.submit([
    { type: 'gate', payload: { file: gate }, threadDemand: cell.cores, priority: 1000 },
  ])
  await submitAll(jobs, FILL, sendTo(filler))
  await filler.close()
  await settleTables()

  const app = await start('api,worker')
  const threads = Array.from({ length: cell.cores }, (_, chunk) => `${gate}.${chunk}`)
  while (!threads.every((file) => existsSync(file))) await sleep(5)
  const completed = untilCompleted(app, jobs.length + 1)
  const startedAt = performance.now()
  writeFileSync(gate, '')
  await completed
  const ms = performance.now() - startedAt
  await app.close()
  return { ms, idealMs: idealMs(jobs, cell) }
}

/** To a node without workers, as the peers' queues have none while they are filled. */
async function submit(): Promise<Measured> {
  const jobs = jobsOf(cell)
  const app = await start('api')
  const send = sendTo(app)
  await submitAll(jobs.slice(0, WARM_UP_JOBS), cell, send)
  const startedAt = performance.now()
  await submitAll(jobs, cell, send)
  const ms = performance.now() - startedAt
  await app.close()
  return { ms }
}

interface Completed {
  id: string
  at: number
}

/** What a subscriber of the node hears of the next job that completes. */
const nextCompleted = ({ bus }: App): Promise<Completed> =>
  new Promise((resolve) => {
    const unsubscribe = bus.subscribe('jobs', (jobs) => {
      const job = jobs.find(({ state }) => state === 'COMPLETED')
      if (!job) return
      unsubscribe()
      resolve({ id: job.id, at: wallClock() })
    })
  })

async function resultOf({ address }: App, id: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${address.port}/jobs/${id}`)
  if (!response.ok) throw new Error(`GET /jobs/${id}: ${response.status}`)
  return Number(((await response.json()) as { result: unknown }).result)
}

/** The job says on its thread when it was started there. */
async function latency(): Promise<Measured> {
  const app = await start('api,worker')
  const startMs: number[] = []
  const endMs: number[] = []
  for (let n = 0; n < cell.count + WARM_UP; n += 1) {
    await sleep(IDLE_MS)
    const completed = nextCompleted(app)
    const submittedAt = wallClock()
    await app.scheduler.submit([{ type: 'stamp', payload: { n } }])
    const { id, at } = await completed
    const startedAt = await resultOf(app, id)
    if (n < WARM_UP) continue
    startMs.push(startedAt - submittedAt)
    endMs.push(at - submittedAt)
  }
  await app.close()
  return { latency: { startMs, endMs } }
}

/** From the call to having the result: the array is checked, stored, split and summed, the sum read back. */
async function sum(): Promise<Measured> {
  const app = await start('api,worker')
  const numbers = numbersOf(1_000_000)
  const expected = numbers.reduce((total, number) => total + number, 0)
  const samples: number[] = []
  for (let n = 0; n < cell.count + 2; n += 1) {
    const completed = nextCompleted(app)
    const startedAt = performance.now()
    await app.scheduler.submit([
      { type: 'large_array_sum', payload: { numbers }, threadDemand: cell.threads },
    ])
    const { id } = await completed
    if ((await resultOf(app, id)) !== expected) throw new Error('the sum is wrong')
    if (n >= 2) samples.push(performance.now() - startedAt)
  }
  await app.close()
  return { samples }
}

const measured = await { drain, submit, latency, sum }[cell.shape]()
process.stdout.write(`${JSON.stringify({ ...measured, settings: { threads: cell.threads } })}\n`)
