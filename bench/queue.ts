/**
 * How fast jobs get in and through: submissions, drain, and the latency of a job on an idle node.
 *
 *   npx tsx bench/queue.ts [--jobs 5000] [--rounds 3] [--url postgresql://…]
 *
 * Without --url it runs on the embedded database. Prints one JSON document: the median of the rounds,
 * with what it ran on. Machines differ: compare figures of one run only.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { readConfig, startApp, type App } from './built-app.ts'
import { median } from './median.ts'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '3' },
    url: { type: 'string' },
  },
})
const jobs = Number(values.jobs)
const rounds = Number(values.rounds)
const small = (n: number) => ({ type: 'add_numbers', payload: { a: n, b: 1 } })

const quantile = (list: number[], q: number): number => {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
}
const perSecond = async (count: number, work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now()
  await work()
  return (count / (performance.now() - startedAt)) * 1000
}

/** Resolves when the node has ended as many jobs as were submitted. */
async function drained(app: App): Promise<void> {
  for (;;) {
    const { submitted, ended } = app.scheduler.stats()
    if (ended.COMPLETED + ended.FAILED + ended.CANCELLED >= submitted) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

async function submitOneByOne(app: App): Promise<number> {
  const rate = await perSecond(jobs, () =>
    Promise.all(Array.from({ length: jobs }, (_, n) => app.scheduler.submit([small(n)]))),
  )
  await drained(app)
  return rate
}

async function submitInBulk(app: App): Promise<number> {
  const size = 1000
  const rate = await perSecond(jobs, async () => {
    for (let from = 0; from < jobs; from += size) {
      await app.scheduler.submit(
        Array.from({ length: Math.min(size, jobs - from) }, (_, n) => small(n)),
      )
    }
  })
  await drained(app)
  return rate
}

async function drain(app: App): Promise<number> {
  return perSecond(jobs, async () => {
    await app.scheduler.submit(Array.from({ length: jobs }, (_, n) => small(n)))
    await drained(app)
  })
}

async function overHttp(
  url: string,
  post: (n: number) => { route: string; body: unknown },
): Promise<number> {
  const lanes = 32
  const each = Math.ceil(jobs / 5 / lanes)
  return perSecond(lanes * each, () =>
    Promise.all(
      Array.from({ length: lanes }, async () => {
        for (let n = 0; n < each; n += 1) {
          const { route, body } = post(n)
          const response = await fetch(`${url}${route}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          })
          if (!response.ok) throw new Error(`${route}: ${response.status}`)
          await response.arrayBuffer()
        }
      }),
    ),
  )
}

const mutation = 'mutation ($input: SubmitJobInput!) { submitJob(input: $input) { id state } }'

/** One job after the other, each on an idle node: ms from the call to the start, and to the told end. */
async function latency(app: App): Promise<{ startMs: number[]; endMs: number[] }> {
  const startMs: number[] = []
  const endMs: number[] = []
  for (let n = 0; n < 100; n += 1) {
    const submittedAt = performance.now()
    const told: Record<string, number> = {}
    const ended = new Promise<void>((resolve) => {
      const unsubscribe = app.bus.subscribe('jobs', (changed) => {
        for (const { state } of changed) told[state] ??= performance.now() - submittedAt
        if (told.COMPLETED === undefined) return
        unsubscribe()
        resolve()
      })
    })
    await app.scheduler.submit([small(n)])
    await ended
    startMs.push(told.RUNNING ?? Number.NaN)
    endMs.push(told.COMPLETED ?? Number.NaN)
  }
  return { startMs, endMs }
}

const spread = (list: number[]) => ({ p50: quantile(list, 0.5), p99: quantile(list, 0.99) })

const dataDir = mkdtempSync(path.join(os.tmpdir(), 'heddle-bench-'))
const database = `heddle_bench_${randomBytes(4).toString('hex')}`
const admin = values.url ? new pg.Pool({ connectionString: values.url, max: 1 }) : null
await admin?.query(`CREATE DATABASE ${database}`)
const target = values.url ? new URL(values.url) : null
if (target) target.pathname = `/${database}`

const app = await startApp(
  readConfig({
    API_PORT: '0',
    DATA_DIR: dataDir,
    LOG_LEVEL: 'error',
    QUEUE_LIMIT: '10000000',
    ...(target ? { DATABASE_URL: target.href } : {}),
  }),
)
const url = `http://127.0.0.1:${app.address.port}`
try {
  await drain(app)
  const rates: Record<string, number[]> = {}
  const note = (name: string, rate: number): void => void (rates[name] ??= []).push(rate)
  for (let round = 0; round < rounds; round += 1) {
    note('submit, one by one, concurrently', await submitOneByOne(app))
    note('submit, in bulk', await submitInBulk(app))
    note('drain, submission included', await drain(app))
    note('POST /jobs', await overHttp(url, (n) => ({ route: '/jobs', body: small(n) })))
    note(
      'submitJob by GraphQL',
      await overHttp(url, (n) => ({
        route: '/graphql',
        body: { query: mutation, variables: { input: small(n) } },
      })),
    )
    await drained(app)
  }
  const { startMs, endMs } = await latency(app)
  const report = {
    on: {
      database: app.databaseDescription,
      node: process.version,
      cpus: os.cpus().length,
      jobs,
      rounds,
    },
    jobsPerSecond: Object.fromEntries(
      Object.entries(rates).map(([name, list]) => [name, Math.round(median(list))]),
    ),
    idleLatencyMs: { submitToStart: spread(startMs), submitToCompleted: spread(endMs) },
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
} finally {
  await app.close()
  await admin?.query(`DROP DATABASE ${database} WITH (FORCE)`)
  await admin?.end()
  rmSync(dataDir, { recursive: true, force: true })
}
