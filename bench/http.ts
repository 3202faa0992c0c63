/**
 * How fast the doors take jobs, and what of it the submission costs: `POST /jobs` and `submitJob` on the
 * product, which commits to its database before it answers, and in the same run on the same doors with a
 * scheduler that answers a job it has at once. A bare node:http server tells what the client can do.
 *
 *   npx tsx bench/http.ts --url postgresql://… [--rounds 5] [--seconds 3] [--connections 64]
 *
 * Without --url it runs on the embedded database. The node has the role `api` alone: what is measured is
 * taking jobs in, and a worker would take its share of the processor. The load comes from a process of its
 * own. Rounds are interleaved, and the ratio is the median of those of each round. Machines differ:
 * compare figures of one run only.
 */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { log } from '../server/src/log.ts'
import { loadRegistry } from '../server/src/job-types/registry.ts'
import { createMemoryCache } from '../server/src/store/cache/memory.ts'
import { openStore } from '../server/src/store/open.ts'
import { createRead } from '../server/src/store/read.ts'
import { createApi, readConfig, startApp, type App } from './built-app.ts'
import type { Load, Loaded } from './http-load.ts'
import { median } from './median.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    url: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const connections = Number(values.connections)
const ms = Number(values.seconds) * 1000

const input = { type: 'add_numbers', payload: { a: 1, b: 2 } }
const query = 'mutation ($input: SubmitJobInput!) { submitJob(input: $input) { id state } }'
const doors = {
  'POST /jobs': { path: '/jobs', body: JSON.stringify(input), answer: '201' },
  submitJob: {
    path: '/graphql',
    body: JSON.stringify({ query, variables: { input } }),
    answer: '200',
  },
}
type Door = keyof typeof doors

interface Target {
  port: number
  close(): Promise<void>
}

/** The product's doors, over a scheduler that has its answer already. */
async function startConstant(app: App, dataDir: string): Promise<Target> {
  const store = await openStore({ url: null, dataDir: 'memory://' })
  const jobs = await app.scheduler.submit([input])
  const api = createApi({
    scheduler: { ...app.scheduler, submit: () => Promise.resolve(jobs) },
    read: createRead(store, createMemoryCache()),
    bus: app.bus,
    registry: await loadRegistry({ cacheDir: path.join(dataDir, 'job-types') }),
    apiKeys: null,
    webRoot: '/nowhere',
  })
  const { port } = await api.listen({ port: 0, host: '127.0.0.1' })
  return { port, close: () => api.close().then(() => store.close()) }
}

/** Reads a body and answers a text: the least a server made with node:http can do. */
async function startBare(): Promise<Target> {
  const text = JSON.stringify({ answer: 'x'.repeat(600) })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, headers).end(text))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const client = fork(path.join(import.meta.dirname, 'http-load.ts'), {
  execArgv: ['--import', 'tsx'],
})

let done = false
client.on('exit', () => {
  if (!done) throw new Error('the client ended before the measurement')
})

async function run(load: Load): Promise<Loaded> {
  client.send(load)
  const [loaded] = (await once(client, 'message')) as [Loaded]
  return loaded
}

const rates: Record<string, number[]> = {}
const latencies: Record<string, number[]> = {}
const cpu: Record<string, number[]> = {}
const ratios: Record<string, number[]> = {}
const note = (list: Record<string, number[]>, name: string, value: number): void =>
  void (list[name] ??= []).push(value)

async function measure(name: string, port: number, door: Door, answer = doors[door].answer) {
  const { path: route, body } = doors[door]
  const before = process.cpuUsage()
  const { answers, statuses, lost, seconds, p50, p99 } = await run({
    port,
    path: route,
    body,
    connections,
    ms,
  })
  if (lost > 0 || statuses[answer] !== answers) {
    throw new Error(`${name}: ${lost} connections lost, answers ${JSON.stringify(statuses)}`)
  }
  const { user, system } = process.cpuUsage(before)
  note(cpu, name, (user + system) / answers)
  const rate = answers / seconds
  note(rates, name, rate)
  note(latencies, `${name}, p50`, p50)
  note(latencies, `${name}, p99`, p99)
  return rate
}

async function measureAll(app: App, constant: Target, bare: Target): Promise<void> {
  await measure('bare node:http', bare.port, 'POST /jobs', '200')
  for (const door of Object.keys(doors) as Door[]) {
    const most = await measure(`${door}, constant`, constant.port, door)
    const ours = await measure(`${door}, committed`, app.address.port, door)
    note(ratios, door, ours / most)
  }
}

const medians = (lists: Record<string, number[]>, digits: number): Record<string, number> =>
  Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [name, Number(median(list).toFixed(digits))]),
  )

log.level = 'error'
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
    ROLES: 'api',
    ...(target ? { DATABASE_URL: target.href } : {}),
  }),
)
try {
  const constant = await startConstant(app, dataDir)
  const bare = await startBare()
  await measureAll(app, constant, bare)
  // The first round warms the code up.
  for (const lists of [rates, latencies, cpu, ratios]) for (const name in lists) delete lists[name]
  for (let round = 0; round < rounds; round += 1) await measureAll(app, constant, bare)
  const on = {
    database: app.databaseDescription,
    node: process.version,
    cpu: os.cpus()[0]?.model,
    cpus: os.cpus().length,
    connections,
    seconds: ms / 1000,
    rounds,
  }
  const report = {
    on,
    perSecond: medians(rates, 0),
    committedToConstant: medians(ratios, 3),
    /** of this process, which holds the servers: steadier than the rates where others use the machine */
    cpuMicrosecondsPerAnswer: medians(cpu, 1),
    ms: medians(latencies, 2),
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  await bare.close()
  await constant.close()
} finally {
  done = true
  client.disconnect()
  await app.close()
  await admin?.query(`DROP DATABASE ${database} WITH (FORCE)`)
  await admin?.end()
  rmSync(dataDir, { recursive: true, force: true })
}
