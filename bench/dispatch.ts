/**
 * What it takes to get tiny jobs to threads and their results back, beside bare `postMessage` and Piscina with
 * the same batches, by turns in one process:
 *
 *   npx tsx bench/dispatch.ts [--jobs 200000] [--batches 1,10,100,1000] [--threads 2] [--rounds 5]
 *
 * Every thread has one batch at work and one that comes next. `bare` is the least that carries payloads as
 * JSON there and results as JSON back; Heddle besides checks each payload by its schema, keeps the times of
 * each job, and can stop, call back and blame each one. `process` is how it runs jobs unless told otherwise:
 * its threads belong to another process. Prints jobs per second, medians, as JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Worker as Thread } from 'node:worker_threads'
import type { WorkItem, Worker, WorkerEvents } from '../server/src/workers/worker.ts'
import type { PoolOptions } from '../server/src/workers/pool.ts'
import { loadRegistry, startProcessWorker, startThreadWorker } from './built-app.ts'
import { installPeers, PEERS } from './compare/peers.ts'
import { median } from './median.ts'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '200000' },
    batches: { type: 'string', default: '1,10,100,1000' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
    rounds: { type: 'string', default: '5' },
  },
})
const jobs = Number(values.jobs)
const threads = Number(values.threads)
const rounds = Number(values.rounds)
const batches = values.batches.split(',').map(Number)
const PER_THREAD = 2

interface Batch {
  jobIds: string[]
  /** JSON of each */
  payloads: string[]
}

interface Contender {
  /** `lane` has `PER_THREAD` of them under way; `done` hears of each job */
  run(lane: number, batch: Batch): Promise<unknown> | undefined
  close(): Promise<unknown>
}

type Tell = (() => void) | undefined

/** More than can be under way while one thread is held up for a second. */
const RING = 2 ** 20
/**
 * Whom to tell that a job has its result, by its number. A ring and not a map: old tables of a map that jobs come
 * to and leave all the time hold on to the new ones, and the collector carried along what had long ended.
 */
const waiting: Tell[] = Array.from({ length: RING }, () => undefined)
const placeOf = (jobId: string): number => Number(jobId.slice('job-'.length)) % RING

function done(jobId: string): void {
  const place = placeOf(jobId)
  const tell = waiting[place]
  if (!tell) throw new Error(`${jobId} was answered twice`)
  waiting[place] = undefined
  tell()
}

interface Answers {
  jobIds: string[]
  results: string[]
}

const bareThread = `
const { parentPort } = require('node:worker_threads')
parentPort.on('message', ({ jobIds, payloads }) => parentPort.postMessage({
  jobIds,
  results: payloads.map((payload) => {
    const { a, b } = JSON.parse(payload)
    return JSON.stringify(a + b)
  }),
}))`

function openBare(): Contender {
  const lanes = Array.from({ length: threads }, () => {
    const thread = new Thread(bareThread, { eval: true })
    thread.on('message', ({ jobIds }: Answers) => jobIds.forEach(done))
    return thread
  })
  return {
    run: (lane, batch) => void lanes[lane]?.postMessage(batch),
    close: () => Promise.all(lanes.map((thread) => thread.terminate())),
  }
}

async function openOurs(
  start: (options: PoolOptions, events: WorkerEvents) => Promise<Worker>,
  modules: string[],
): Promise<Contender> {
  const worker = await start(
    { name: 'bench', threads, modules, graceMs: 1000 },
    {
      finished(results) {
        for (const { order, place, outcome } of results) {
          if (outcome.kind !== 'completed') throw new Error(JSON.stringify(outcome))
          const batch = given[order % RING]
          if (!batch) throw new Error(`order ${order} was answered twice`)
          done(batch.jobIds[place] ?? '')
          batch.left -= 1
          if (batch.left === 0) given[order % RING] = undefined
        }
      },
      progress: () => {},
      trouble: (message) => process.stderr.write(`${message}\n`),
    },
  )
  const last: (number | undefined)[] = []
  /** by the id of its order; not kept for longer than the other contenders keep theirs */
  const given: ({ jobIds: string[]; left: number } | undefined)[] = []
  let orders = 0
  const itemOf = (jobId: string, type: string, payload: string): WorkItem => {
    return { jobId, type, attempt: 1, payload, timeoutMs: 60_000 }
  }
  // Its threads are up when it has run something on all of them.
  await new Promise<void>((resolve) => {
    waiting[placeOf('job-0')] = resolve
    given[1] = { jobIds: ['job-0'], left: 1 }
    const item = itemOf('job-0', 'large_array_sum', '{"numbers":[1,2,3,4]}')
    worker.run([{ id: (orders += 1), width: threads, items: [item] }])
  })
  return {
    run(lane, { jobIds, payloads }) {
      const items = jobIds.map((jobId, index) =>
        itemOf(jobId, 'add_numbers', payloads[index] ?? ''),
      )
      const id = (orders += 1)
      given[id % RING] = { jobIds, left: jobIds.length }
      const behind = last[lane]
      last[lane] = id
      worker.run([{ id, width: 1, items, ...(behind === undefined ? {} : { behind }) }])
      return undefined
    },
    close: () => worker.close(),
  }
}

interface PiscinaPool {
  run(batch: Batch): Promise<Answers>
  destroy(): Promise<void>
}

function openPiscina(): Contender {
  const { Piscina } = createRequire(path.join(PEERS, 'package.json'))('piscina') as {
    Piscina: new (options: Record<string, unknown>) => PiscinaPool
  }
  const pool = new Piscina({
    filename: path.join(PEERS, 'piscina-batch.mjs'),
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: PER_THREAD,
  })
  return {
    run: (_, batch) => pool.run(batch).then(({ jobIds }) => jobIds.forEach(done)),
    close: () => pool.destroy(),
  }
}

let ids = 0

/** Resolves when each of its jobs has its result. */
function send(contender: Contender, lane: number, size: number): Promise<void> {
  const batch: Batch = { jobIds: [], payloads: [] }
  for (let index = 0; index < size; index += 1) {
    ids += 1
    batch.jobIds.push(`job-${ids}`)
    batch.payloads.push(`{"a":${ids},"b":1}`)
  }
  return new Promise((resolve, reject) => {
    let left = size
    const tell = (): void => {
      left -= 1
      if (left === 0) resolve()
    }
    for (const jobId of batch.jobIds) waiting[placeOf(jobId)] = tell
    contender.run(lane, batch)?.catch(reject)
  })
}

/** Jobs per second of `count` jobs in batches. */
async function rateOf(contender: Contender, count: number, size: number): Promise<number> {
  let sent = 0
  const flow = async (lane: number): Promise<void> => {
    while (sent < count) {
      sent += size
      await send(contender, lane, size)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: threads * PER_THREAD }, (_, n) => flow(n % threads)))
  return sent / ((performance.now() - startedAt) / 1000)
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-dispatch-'))
await installPeers()
const { modules } = await loadRegistry({ cacheDir: folder })
const contenders: Record<string, Contender> = {
  bare: openBare(),
  thread: await openOurs(startThreadWorker, modules),
  process: await openOurs(startProcessWorker, modules),
  piscina: openPiscina(),
}
const report: Record<string, Record<string, number>> = {}
try {
  for (const size of batches) {
    // A batch of one pays for each message: as many jobs would take minutes.
    const count = Math.min(jobs, size * 20_000)
    const rates = new Map<string, number[]>()
    for (let round = -1; round < rounds; round += 1) {
      for (const [name, contender] of Object.entries(contenders)) {
        const rate = await rateOf(contender, count, size)
        if (round >= 0) rates.set(name, [...(rates.get(name) ?? []), rate])
      }
    }
    const medians = [...rates].map(([name, list]) => [name, Math.round(median(list))] as const)
    report[`batches of ${size}`] = Object.fromEntries(medians)
  }
} finally {
  await Promise.all(Object.values(contenders).map((contender) => contender.close()))
  rmSync(folder, { recursive: true, force: true })
}
process.stdout.write(
  `${JSON.stringify({ on: { node: process.version, threads, rounds }, jobsPerSecond: report }, null, 2)}\n`,
)
