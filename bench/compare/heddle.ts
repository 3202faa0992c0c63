/**
 * Measures Heddle at one work and prints one JSON line. The product as it is started by `npm start`, on
 * the PostgreSQL it is given: jobs on threads of a child process, results and history kept.
 */
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { gateOf, sendTo, startNode, type App } from './heddle-node.ts'
import {
  idealMs,
  jobsOf,
  numbersOf,
  oneByOne,
  submitAll,
  wallClock,
  type Cell,
  type Measured,
} from './workload.mjs'

const cell = JSON.parse(process.argv[2] ?? '') as Cell
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const WARM_UP_JOBS = 2000

const start = (roles: string): Promise<App> => startNode(cell, roles)

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

/** In a process of its own, which ends with the queue where it was left: in the database. */
async function fill(): Promise<void> {
  const script = path.join(import.meta.dirname, 'heddle-fill.ts')
  await promisify(execFile)(process.execPath, [...process.execArgv, script, JSON.stringify(cell)])
}

/** The first job holds all threads of the node: the clock starts when it is let go. */
async function drain(): Promise<Measured> {
  await fill()
  await settleTables()

  const app = await start('api,worker')
  const gate = gateOf(cell)
  const threads = Array.from({ length: cell.cores }, (_, chunk) => `${gate}.${chunk}`)
  while (!threads.every((file) => existsSync(file))) await sleep(5)
  const completed = untilCompleted(app, cell.count + 1)
  const startedAt = performance.now()
  writeFileSync(gate, '')
  await completed
  const ms = performance.now() - startedAt
  await app.close()
  return { ms, idealMs: idealMs(jobsOf(cell), cell) }
}

/** To a node without workers, as the peers' queues have none while they are filled. */
async function submit(): Promise<Measured> {
  const jobs = jobsOf(cell)
  const app = await start('api')
  const send = sendTo(cell, app)
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
  const measured = await oneByOne(cell.count, async (n) => {
    const completed = nextCompleted(app)
    const submittedAt = wallClock()
    await app.scheduler.submit([{ type: 'stamp', payload: { n } }])
    const { id, at } = await completed
    return { submittedAt, startedAt: await resultOf(app, id), endedAt: at }
  })
  await app.close()
  return { latency: measured }
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
