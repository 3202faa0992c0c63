/**
 * BullMQ, in three variants:
 *
 * - `inline`: on Redis, the processor a function in the worker's own process. For CPU-bound jobs one
 *   process per core, as its documentation has it (guide/parallelism-and-concurrency).
 * - `sandboxed`: on Redis, the processor a file that runs on worker threads (guide/workers/sandboxed-processors).
 * - `postgres`: as `inline`, on its PostgreSQL back end (guide/postgresql).
 *
 * All remove a job when it completes, which is what its guides recommend and the fastest: neither the job
 * nor its result is kept.
 */
import { createPostgresBackend, createRedisBackend, Queue, runMigrations, Worker } from 'bullmq'
import path from 'node:path'
import pg from 'pg'
import { perform, spin } from '../compare/workload.mjs'

const QUEUE = 'bench'
const POOL = 20

const backendOf = ({ variant }) =>
  variant === 'postgres' ? createPostgresBackend : createRedisBackend

const optionsOf = ({ variant, postgresUrl, redisUrl, prefix }) =>
  variant === 'postgres'
    ? { connection: { connectionString: postgresUrl, max: POOL } }
    : { connection: { url: redisUrl, maxRetriesPerRequest: null }, prefix }

/**
 * With jobs that do nothing the database is what is busy, and half of the cores are left to it: on two
 * cores one process was faster than two.
 */
const processesFor = ({ ms, cores }) =>
  ms > 0 ? cores : Math.max(1, Math.min(4, Math.floor(cores / 2)))

/** A process of its own uses its core with one CPU-bound job at a time; one more in hand hides the fetch. */
function concurrencyOf({ variant, ms, cores }) {
  if (variant === 'sandboxed') return ms > 0 ? cores : 4 * cores
  return ms > 0 ? 2 : 100
}

export const settings = (cell) => ({
  processes: cell.variant === 'sandboxed' ? 1 : processesFor(cell),
  concurrency: concurrencyOf(cell),
  ...(cell.variant === 'postgres' ? { pool: POOL } : {}),
  removeOnComplete: true,
})

export async function prepare({ variant, postgresUrl }) {
  if (variant !== 'postgres') return
  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  await runMigrations(client)
  await client.end()
}

const entry = ({ kind, payload }) => ({ name: kind, data: payload })

export async function openProducer(cell) {
  const queue = new Queue(QUEUE, optionsOf(cell), backendOf(cell))
  await queue.waitUntilReady()
  return {
    send: (jobs) =>
      jobs.length === 1 ? queue.add(jobs[0].kind, jobs[0].payload) : queue.addBulk(jobs.map(entry)),
  }
}

export async function prepareWorker(cell, { onDone }) {
  const { concurrency } = settings(cell)
  const isSandboxed = cell.variant === 'sandboxed'
  const worker = new Worker(
    QUEUE,
    isSandboxed
      ? path.join(import.meta.dirname, 'bullmq-sandbox.mjs')
      : async ({ name, data }) => perform(name, data),
    {
      ...optionsOf(cell),
      autorun: false,
      concurrency,
      removeOnComplete: { count: 0 },
      useWorkerThreads: isSandboxed,
    },
    backendOf(cell),
  )
  worker.on('error', (error) => console.error(error))
  await worker.waitUntilReady()
  if (isSandboxed) await startThreads(cell, worker, concurrency)
  worker.on('completed', (_, result) => onDone(result))
  return async () => {
    if (isSandboxed) worker.resume()
    else void worker.run()
  }
}

/** Its threads start with the first jobs. Starting is not measured, so they are given some before. */
async function startThreads(cell, worker, concurrency) {
  const { send } = await openProducer(cell)
  let left = 4 * concurrency
  const rounds = Math.round(5 * cell.roundsPerMs)
  spin(rounds)
  await send(Array.from({ length: left }, (_, n) => ({ kind: 'spin', payload: { n, rounds } })))
  await new Promise((resolve) => {
    const onCompleted = () => {
      left -= 1
      if (left > 0) return
      worker.off('completed', onCompleted)
      resolve()
    }
    worker.on('completed', onCompleted)
    void worker.run()
  })
  await worker.pause()
}
