/**
 * Piscina, a thread pool and no queue: what the same work costs on threads alone, with nothing stored,
 * nothing ordered and nothing left after a crash. It is the floor under every queue here.
 */
import { Piscina } from 'piscina'
import path from 'node:path'
import { idealMs, jobsOf, numbersOf, oneByOne, submitAll, wallClock } from '../compare/workload.mjs'

const cell = JSON.parse(process.argv[2])
const settings = { threads: cell.threads }
const pool = new Piscina({
  filename: path.join(import.meta.dirname, 'piscina-task.mjs'),
  minThreads: cell.threads,
  maxThreads: cell.threads,
})

const send = ([{ kind, payload }]) => pool.run({ kind, payload })

/** Starting threads is not measured. */
const warmUp = () =>
  Promise.all(
    Array.from({ length: 4 * cell.threads }, (_, n) =>
      pool.run({ kind: 'spin', payload: { n, rounds: Math.round(5 * cell.roundsPerMs) } }),
    ),
  )

async function drain() {
  const jobs = jobsOf(cell)
  const startedAt = performance.now()
  await submitAll(jobs, { batch: 1, inFlight: Math.min(jobs.length, 1000) }, send)
  return { ms: performance.now() - startedAt, idealMs: idealMs(jobs, cell), settings }
}

async function latency() {
  const measured = await oneByOne(cell.count, async (n) => {
    const submittedAt = wallClock()
    const startedAt = await send([{ kind: 'stamp', payload: { n } }])
    return { submittedAt, startedAt, endedAt: wallClock() }
  })
  return { latency: measured, settings }
}

/** What somebody would write by hand: the numbers once in shared memory, one part for each thread. */
async function sumOnce(numbers) {
  const shared = new Float64Array(new SharedArrayBuffer(numbers.length * 8))
  shared.set(numbers)
  const size = Math.ceil(numbers.length / cell.threads)
  const parts = await Promise.all(
    Array.from({ length: cell.threads }, (_, part) =>
      pool.run({ kind: 'sum', numbers: shared, start: part * size, end: (part + 1) * size }),
    ),
  )
  return parts.reduce((sum, part) => sum + part, 0)
}

async function sum() {
  const numbers = numbersOf(1_000_000)
  const expected = numbers.reduce((total, number) => total + number, 0)
  const samples = []
  for (let n = 0; n < cell.count + 2; n += 1) {
    const startedAt = performance.now()
    if ((await sumOnce(numbers)) !== expected) throw new Error('the sum is wrong')
    if (n >= 2) samples.push(performance.now() - startedAt)
  }
  return { samples, settings }
}

await warmUp()
const measured = await { drain, latency, sum }[cell.shape]()
process.stdout.write(`${JSON.stringify(measured)}\n`, () => process.exit(0))
