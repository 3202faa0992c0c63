/**
 * A job as wide as its worker under a stream of one-thread jobs, with and without reservations: the
 * production planner in simulated time. Without them a wide job waits for a moment at which every thread
 * happens to be free, which a busy worker never has.
 *
 *   tsx bench/traces/starvation.ts [--threads 8] [--load 0.95] [--hours 2]
 */
import { parseArgs } from 'node:util'
import { simulate, type Policy, type SimulatedJob } from '../../server/src/core/simulate.ts'
import { summarize } from '../../server/src/core/summary.ts'

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '8' },
    load: { type: 'string', default: '0.95' },
    hours: { type: 'string', default: '2' },
  },
})
const threads = Number(values.threads)
const RUN_MS = 1000
const until = Number(values.hours) * 3_600_000
const WIDE_AT = 60_000

const job = (given: Partial<SimulatedJob> & { id: string }): SimulatedJob => ({
  type: 'small',
  rank: 0,
  gang: 1,
  threadDemand: 1,
  createdAt: 0,
  runMs: RUN_MS,
  expectedMs: null,
  ...given,
})

const every = RUN_MS / (threads * Number(values.load))
/** Sorts by submission, as the product's ids do. */
const idAt = (at: number): string => String(Math.ceil(at / every)).padStart(12, '0')

/** Run times spread from half to one and a half times the mean; repeatable. */
function stream(): SimulatedJob[] {
  let state = 1
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return Array.from({ length: Math.floor(until / every) }, (_, i) =>
    job({
      id: idAt(i * every),
      createdAt: i * every,
      runMs: RUN_MS * (0.5 + random()),
    }),
  )
}

const wide = job({
  id: `${idAt(WIDE_AT)}-wide`,
  type: 'wide',
  gang: threads,
  threadDemand: threads,
  createdAt: WIDE_AT,
})
const policies: [string, Policy][] = [
  ['whatever fits, no reservation', { predictions: 'none', reservations: false }],
  ['reservation, nothing predicted', { predictions: 'none', reservations: true }],
  ['reservation, learnt', { predictions: 'learnt', reservations: true }],
]
for (const [name, policy] of policies) {
  const runs = simulate({
    jobs: [...stream(), wide],
    workers: [{ name: 'worker-1', threads }],
    policy,
  })
  const start = runs.find((run) => run.job.type === 'wide')?.startAt ?? Infinity
  const small = summarize(
    runs.filter((run) => run.job.type !== 'wide'),
    threads,
  )
  const row = {
    scheduler: name,
    wideWaitedS: (start - WIDE_AT) / 1000,
    // Once the stream has ended, every thread is free by itself.
    starved: start >= until,
    smallMeanWaitMs: Math.round(small.meanWaitMs),
    utilization: Number(small.utilization.toFixed(3)),
  }
  process.stdout.write(`${JSON.stringify(row)}\n`)
}
