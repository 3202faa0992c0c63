/**
 * Measures a peer at one work and prints one JSON line. What is the same for every peer is here; its
 * adapter says how it is told of jobs and how it runs them:
 *
 * @typedef {import('../compare/workload.mjs').Cell} Cell
 * @typedef {import('../compare/workload.mjs').BenchJob} BenchJob
 *
 * @typedef {object} Producer
 * @property {(jobs: BenchJob[]) => Promise<unknown>} send one call; resolves when it is acknowledged
 * @property {() => Promise<boolean>} [isEmpty] asked at the end of a drain, where a worker hears of the
 *   end of its handler and not of the end being stored
 *
 * @typedef {object} Hooks
 * @property {() => void} onStart the worker asks for its first job; called by those that `tellsStart`
 * @property {(result: number) => void} onDone a job has ended; its result
 *
 * @typedef {object} Adapter
 * @property {(cell: Cell) => Record<string, unknown> & { processes: number }} settings
 * @property {(cell: Cell) => Promise<void>} prepare makes tables, once
 * @property {(cell: Cell) => Promise<Producer>} openProducer
 * @property {(cell: Cell, hooks: Hooks) => Promise<() => Promise<void>>} prepareWorker connects a worker;
 *   what it resolves with lets it take jobs
 * @property {boolean} [tellsStart] where a worker connects only as it begins to take jobs: it says when it
 *   does, and the clock starts then
 * @property {boolean} [tellsEnd] false where nobody is told of a job's end
 */
import { idealMs, jobsOf, oneByOne, submitAll, wallClock, FILL } from '../compare/workload.mjs'
import { startFleet } from './fleet.mjs'
import { settleTables } from './tables.mjs'

/** @type {Cell} */
const cell = JSON.parse(process.argv[2])
/** @type {Adapter} */
const adapter = await import(`./${cell.adapter}.mjs`)
const settings = adapter.settings(cell)
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const POLL_MS = 5
const WARM_UP_JOBS = 2000

/** Resolves when all that was submitted is stored as ended. @param {Producer} producer */
async function emptied({ isEmpty }) {
  while (isEmpty && !(await isEmpty())) await sleep(POLL_MS)
}

async function drain() {
  const jobs = jobsOf(cell)
  const producer = await adapter.openProducer(cell)
  const fleet = await startFleet(cell, settings.processes)
  await submitAll(jobs, FILL, producer.send)
  await settleTables(cell)
  const { startedAt, lastAt } = await fleet.run(jobs.length)
  await emptied(producer)
  const endedAt = producer.isEmpty ? wallClock() : lastAt
  fleet.end()
  return {
    ms: endedAt - startedAt,
    idealMs: idealMs(jobs, cell),
    settings,
  }
}

async function submit() {
  const jobs = jobsOf(cell)
  const { send } = await adapter.openProducer(cell)
  // The first calls open connections and prepare statements.
  await submitAll(jobs.slice(0, WARM_UP_JOBS), cell, send)
  const startedAt = performance.now()
  await submitAll(jobs, cell, send)
  return { ms: performance.now() - startedAt }
}

/** One job after the other, producer and worker in this one process, as both are in Heddle's node. */
async function latency() {
  let told = (_) => undefined
  const producer = await adapter.openProducer(cell)
  const go = await adapter.prepareWorker(cell, {
    onStart: () => undefined,
    onDone: (result) => told(result),
  })
  await go()
  const { startMs, endMs } = await oneByOne(cell.count, async (n) => {
    const done = new Promise((resolve) => {
      told = (result) => resolve({ result, endedAt: wallClock() })
    })
    const submittedAt = wallClock()
    await producer.send([{ kind: 'stamp', payload: { n }, threads: 1 }])
    const { result, endedAt } = await done
    await emptied(producer)
    return { submittedAt, startedAt: result, endedAt }
  })
  return {
    latency: { startMs, endMs: adapter.tellsEnd === false ? null : endMs },
    settings: { ...settings, processes: 1 },
  }
}

await adapter.prepare(cell)
const measured = await { drain, submit, latency }[cell.shape]()
// Connections are left to end with the process: the runner drops the database and the keys.
process.stdout.write(`${JSON.stringify(measured)}\n`, () => process.exit(0))
