/**
 * How much faster `large_array_sum` is on all cores than on one thread of our own:
 *
 *   node --import tsx bench/large-array.ts [--numbers 10000000] [--threads 2] [--rounds 15]
 *
 * `binary`: the numbers lie in shared memory when the clock starts. From the order given to a worker's pool
 * to its answer: hand-over to the threads, sums, hand-over back, merge, result as JSON.
 * `bare`: the machine's own ceiling: the same loop in threads that wait on an Atomics flag, no messages.
 * `fromJson`: the whole job from its JSON text, which is one thread's work to parse and check.
 *
 * Widths take turns, so that what else runs on the machine meets all of them. Prints JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { compileJobType } from '../server/src/job-types/compile.ts'
import { startThreadWorker } from '../server/src/workers/thread-worker.ts'
import type { WorkResult } from '../server/src/workers/worker.ts'
import { amounts } from './large-array-job.ts'
import { median } from './median.ts'

const { values } = parseArgs({
  options: {
    numbers: { type: 'string', default: '10000000' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
    rounds: { type: 'string', default: '15' },
  },
})
const count = Number(values.numbers)
const threads = Number(values.threads)
const rounds = Number(values.rounds)
const widths = [1, threads]

const round = (value: number): number => Math.round(value * 100) / 100

/** Medians of each width in ms, and how many times faster all threads are than one. */
async function compare(turns: number, run: (width: number) => Promise<number>) {
  const times = new Map<number, number[]>(widths.map((width) => [width, []]))
  for (const width of widths) await run(width)
  for (let turn = 0; turn < turns; turn += 1) {
    for (const width of widths) times.get(width)?.push(await run(width))
  }
  const one = times.get(1) ?? []
  const all = times.get(threads) ?? []
  const speedUp = median(one) / median(all)
  return {
    oneThreadMs: round(median(one)),
    allThreadsMs: round(median(all)),
    speedUp: round(speedUp),
    ofCores: round(speedUp / threads),
    bestSpeedUp: round(Math.min(...one) / Math.min(...all)),
  }
}

/** A pool of the product's own, which tells how long a job took from order to answer. */
async function openPool(modules: string[]) {
  let answered: (result: WorkResult) => void = () => {}
  const pool = await startThreadWorker(
    { name: 'bench', threads, modules, graceMs: 1000 },
    {
      finished: (results) => results.forEach((result) => answered(result)),
      progress: () => {},
      trouble: (message) => process.stderr.write(`${message}\n`),
    },
  )
  let jobs = 0
  const answers = new Set<string>()
  return {
    answers,
    close: () => pool.close(),
    async run(type: string, payload: string, width: number): Promise<number> {
      const startedAt = performance.now()
      const { outcome } = await new Promise<WorkResult>((resolve) => {
        answered = resolve
        const item = { jobId: `job-${(jobs += 1)}`, type, attempt: 1, payload, timeoutMs: null }
        pool.run([{ id: jobs, width, items: [item] }])
      })
      const tookMs = performance.now() - startedAt
      if (outcome.kind !== 'completed') throw new Error(JSON.stringify(outcome))
      answers.add(outcome.result)
      return tookMs
    },
  }
}

const bareThread = `
const { workerData } = require('node:worker_threads')
const { index, address, numbers, flags } = workerData
const context = { throwIfCancelled() {}, progress() {} }
import(address).then(({ default: { parallel }, cut }) => {
  for (let turn = 0; ; ) {
    Atomics.wait(flags, 0, turn)
    turn = Atomics.load(flags, 0)
    const chunk = cut(numbers, flags[1])[index]
    if (!chunk) continue
    parallel.run(chunk, context)
    Atomics.add(flags, 2, 1)
    Atomics.notify(flags, 2)
  }
})`

/** Threads with nothing around them. This one sleeps while they work. */
function openBare(address: string) {
  const flags = new Int32Array(new SharedArrayBuffer(12))
  const numbers = amounts(count)
  const started = Array.from(
    { length: threads },
    (_, index) =>
      new Worker(bareThread, { eval: true, workerData: { index, address, numbers, flags } }),
  )
  return {
    close: () => Promise.all(started.map((thread) => thread.terminate())),
    async run(width: number): Promise<number> {
      // Nobody is told when the last turn's idle threads are back at their flag.
      await new Promise((resolve) => setTimeout(resolve, 5))
      flags[1] = width
      flags[2] = 0
      const startedAt = performance.now()
      Atomics.add(flags, 0, 1)
      Atomics.notify(flags, 0)
      for (let done = 0; done < width; done = Atomics.load(flags, 2)) Atomics.wait(flags, 2, done)
      return performance.now() - startedAt
    },
  }
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-large-array-'))
const compile = (file: string): Promise<string> =>
  compileJobType(path.join(import.meta.dirname, file), folder)
const binarySum = await compile('large-array-job.ts')
const builtIn = await compile('../server/src/job-types/large-array-sum.ts')
try {
  const pool = await openPool([binarySum, builtIn])
  const binary = await compare(rounds, (width) =>
    pool.run('binary_array_sum', JSON.stringify({ count }), width),
  )
  const json = JSON.stringify({ numbers: [...amounts(count)] })
  const fromJson = await compare(1, (width) => pool.run('large_array_sum', json, width))
  await pool.close()
  if (pool.answers.size !== 1) throw new Error(`sums differ: ${[...pool.answers].join()}`)

  const bareThreads = openBare(builtIn)
  const bare = await compare(rounds, (width) => bareThreads.run(width))
  await bareThreads.close()
  const report = {
    on: {
      node: process.version,
      cores: os.availableParallelism(),
      numbers: count,
      threads,
      rounds,
    },
    binary,
    bare,
    fromJson: { ...fromJson, megabytes: Math.round(json.length / 1e6) },
    sum: [...pool.answers][0],
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
