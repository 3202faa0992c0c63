/**
 * Runs a workload trace through the production scheduler core in simulated time.
 *
 *   tsx bench/traces/run.ts <file.swf> [--threads 240 | --workers 128,64,48] [--look-ahead 100] [--json]
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { percentile } from '../../server/src/core/metrics.ts'
import { plan } from '../../server/src/core/plan.ts'
import { simulate, type Policy, type SimulatedJob } from '../../server/src/core/simulate.ts'
import { summarize, type Summary } from '../../server/src/core/summary.ts'
import { parseSwf, toSimulatedJob } from './swf.ts'

interface Variant {
  name: string
  policy: Policy
  change?: (job: SimulatedJob, index: number) => SimulatedJob
}

interface Row extends Summary {
  scheduler: string
  decisions: number
  meanDecisionUs: number
  p99DecisionUs: number
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string' },
    workers: { type: 'string' },
    json: { type: 'boolean' },
    'look-ahead': { type: 'string' },
  },
})
/** Unless told as far as the longest queue of a trace: EASY of the textbook has no limit. */
const LOOK_AHEAD = 20_000
const ours: Policy = {
  predictions: 'none',
  reservations: true,
  limit: Number(values['look-ahead'] ?? LOOK_AHEAD),
}
/** Each job in a rank of its own, so that none passes another for being shorter: EASY as in the textbook. */
const inOrder = (job: SimulatedJob, index: number): SimulatedJob => ({
  ...job,
  rank: index,
})
/** Where a trace does not tell the time asked for, that of a perfect asker. */
const asked = (job: SimulatedJob): SimulatedJob => ({
  ...job,
  expectedMs: job.expectedMs ?? job.runMs,
})
const shorterFirst = (job: SimulatedJob): SimulatedJob => ({
  ...job,
  rank: Math.ceil(Math.log2((asked(job).expectedMs ?? 0) + 1)),
})

const variants: Variant[] = [
  { name: 'FCFS', policy: { ...ours, limit: 0 } },
  {
    name: 'priority to short ones, no backfill',
    policy: { ...ours, limit: 0 },
    change: shorterFirst,
  },
  { name: 'whatever fits, no reservation', policy: { ...ours, reservations: false } },
  {
    name: 'EASY, asked times',
    policy: { ...ours, predictions: 'hints' },
    change: (job, index) => inOrder(asked(job), index),
  },
  { name: 'EASY, perfect', policy: { ...ours, predictions: 'perfect' }, change: inOrder },
  { name: 'Heddle, no predictions', policy: ours },
  { name: 'Heddle, asked times', policy: { ...ours, predictions: 'hints' }, change: asked },
  { name: 'Heddle, learnt', policy: { ...ours, predictions: 'learnt' } },
  { name: 'Heddle, perfect', policy: { ...ours, predictions: 'perfect' } },
]

function run(variant: Variant, jobs: SimulatedJob[], workers: number[]): Row {
  const costs: number[] = []
  const runs = simulate({
    jobs: variant.change ? jobs.map(variant.change) : jobs,
    workers: workers.map((threads, i) => ({ name: `worker-${i + 1}`, threads })),
    policy: variant.policy,
    decide(view) {
      const before = performance.now()
      const planned = plan(view)
      costs.push((performance.now() - before) * 1000)
      return planned
    },
  })
  return { scheduler: variant.name, ...summarize(runs, sum(workers)), ...costFigures(costs) }
}

const costFigures = (costs: number[]) => ({
  decisions: costs.length,
  meanDecisionUs: mean(costs),
  p99DecisionUs: percentile(costs, 0.99) ?? 0,
})

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
const mean = (values: number[]): number => sum(values) / values.length
const max = (values: number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity)

function print(rows: Row[]): void {
  const line = (cells: string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(36) : cell.padStart(11))).join('')
  const header = ['wait s', 'max wait s', 'slowdown', 'use %', 'µs/decision', 'p99 µs']
  const body = rows.map((row) =>
    line([
      row.scheduler,
      (row.meanWaitMs / 1000).toFixed(0),
      (row.maxWaitMs / 1000).toFixed(0),
      row.meanBoundedSlowdown.toFixed(2),
      (row.utilization * 100).toFixed(1),
      row.meanDecisionUs.toFixed(1),
      row.p99DecisionUs.toFixed(0),
    ]),
  )
  process.stdout.write(`${[line(['', ...header]), ...body].join('\n')}\n\n`)
}

const [file] = positionals
if (!file)
  throw new Error('usage: tsx bench/traces/run.ts <file.swf> [--threads N | --workers N,N,…]')
const trace = parseSwf(readFileSync(file, 'utf8'))
const machine = trace.maxProcessors ?? max(trace.jobs.map(({ processors }) => processors))
const workers = (values.workers ?? values.threads ?? String(machine)).split(',').map(Number)
if (workers.some((threads) => !Number.isInteger(threads) || threads < 1)) {
  throw new Error('a worker has a whole number of threads, at least one')
}
const jobs = trace.jobs.map((job) => toSimulatedJob(job, max(workers)))
const rows = variants.map((variant) => run(variant, jobs, workers))
if (!values.json) print(rows)
process.stdout.write(`${JSON.stringify({ trace: file, workers, rows }, null, 2)}\n`)
