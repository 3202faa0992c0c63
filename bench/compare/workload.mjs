/**
 * What the contenders run: the same plain functions and the same list of jobs for all of them, in this
 * file alone. Plain JavaScript, because the peers run it in Node without a compiler.
 *
 * @typedef {'noop' | 'spin' | 'touch' | 'stamp'} Kind what a job does
 *
 * @typedef {object} BenchJob
 * @property {Kind} kind
 * @property {{ n: number, rounds?: number, records?: string[] }} payload
 * @property {number} threads how many it would use at once; only Heddle can be told
 *
 * @typedef {object} Cell one contender at one work, as the runner orders it
 * @property {string} adapter the contender's module
 * @property {string} variant which configuration of it
 * @property {string} work
 * @property {'drain' | 'submit' | 'latency' | 'sum'} shape how it is measured
 * @property {number} count jobs
 * @property {number} ms CPU time of one job, or the most of it, in ms
 * @property {number} batch jobs of one submitting call
 * @property {number} inFlight submitting calls under way at once
 * @property {number} threads that the contender may use for one job
 * @property {number} cores
 * @property {number} roundsPerMs rounds of `spin` that one core does in a ms
 * @property {string} postgresUrl a database of the cell's own
 * @property {string} redisUrl
 * @property {string} prefix of the cell's keys in Redis
 * @property {string} folder for files of the cell's own
 *
 * @typedef {object} Measured what a cell's process prints
 * @property {number} [ms] how long all jobs took
 * @property {number} [idealMs] how long their CPU time is on all cores
 * @property {number[]} [samples] ms of each, where each is measured
 * @property {{ startMs: number[], endMs: number[] | null }} [latency]
 * @property {Record<string, unknown>} [settings] how the contender was tuned
 */

/** Comparable between the processes of one machine, and finer than Date.now. */
export const wallClock = () => performance.timeOrigin + performance.now()

/**
 * Keeps a core busy for a number of rounds. Work is counted, not timed: a loop that looks at the clock
 * would end early when others take its core, and the busier a contender makes the machine, the less its
 * jobs would do.
 *
 * @param {number} rounds
 * @returns {number}
 */
export function spin(rounds) {
  let value = 1
  for (let round = 0; round < rounds; round += 1) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) | 0
  }
  return value
}

/** Reads all of a payload. @param {string[]} records */
export const touch = (records) => records.reduce((sum, record) => sum + record.charCodeAt(0), 0)

/**
 * One job, in whatever process or thread the contender runs it.
 *
 * @param {Kind} kind
 * @param {BenchJob['payload']} payload
 * @returns {number} a small result, which contenders that keep results keep
 */
export function perform(kind, payload) {
  switch (kind) {
    case 'spin':
      return spin(payload.rounds ?? 0)
    case 'touch':
      return touch(payload.records ?? [])
    case 'stamp':
      return wallClock()
    default:
      return payload.n
  }
}

/** 100 records of 100 characters: with quotes and commas 10 kB of JSON. @param {number} n */
const records = (n) =>
  Array.from({ length: 100 }, (_, index) => `${n} ${index} `.padEnd(98, 'lorem ipsum '))

/** CPU times of a mix, in ms: the same for every contender and round. @param {Cell} cell */
function mixOf({ count, ms }) {
  let state = 42
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return 1 + (state % ms)
  })
}

/**
 * The jobs of a cell, in the order they are submitted.
 *
 * @param {Cell} cell
 * @returns {BenchJob[]}
 */
export function jobsOf(cell) {
  const { count, work, ms, roundsPerMs } = cell
  if (work === 'mixed') {
    return mixOf(cell).map((each, n) => ({
      kind: 'spin',
      payload: { n, rounds: Math.round(each * roundsPerMs) },
      threads: n % 3 === 0 ? Math.min(2, cell.threads) : 1,
    }))
  }
  const each = Array.from({ length: count }, (_, n) => n)
  if (ms > 0) {
    const rounds = Math.round(ms * roundsPerMs)
    return each.map((n) => ({ kind: 'spin', payload: { n, rounds }, threads: 1 }))
  }
  if (work === 'payload10k') {
    return each.map((n) => ({ kind: 'touch', payload: { n, records: records(n) }, threads: 1 }))
  }
  return each.map((n) => ({ kind: 'noop', payload: { n }, threads: 1 }))
}

/** How long the CPU time of the jobs takes on all cores, if nothing else takes any. */
export const idealMs = (/** @type {BenchJob[]} */ jobs, /** @type {Cell} */ cell) =>
  jobs.reduce((sum, { payload }) => sum + (payload.rounds ?? 0), 0) /
  cell.roundsPerMs /
  cell.threads

/** The numbers of `large-array`. @param {number} count */
export const numbersOf = (count) => Array.from({ length: count }, (_, n) => n % 1000)

/**
 * Submits jobs in calls of `cell.batch`, `cell.inFlight` of them at once. Resolves when all are
 * acknowledged.
 *
 * @param {BenchJob[]} jobs
 * @param {Pick<Cell, 'batch' | 'inFlight'>} cell
 * @param {(jobs: BenchJob[]) => Promise<unknown>} send
 */
export async function submitAll(jobs, { batch, inFlight }, send) {
  let next = 0
  const lane = async () => {
    while (next < jobs.length) {
      const from = next
      next += batch
      await send(jobs.slice(from, from + batch))
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

/** How jobs are put in the queue where that is not what is measured. */
export const FILL = { batch: 1000, inFlight: 1 }

const IDLE_MS = 5
/** One by one, for a process that has just started takes twice as long for each of its first hundreds. */
const WARM_UP = { jobs: 1_000, ms: 10_000 }

/**
 * One job at a time on an idle node: when its code started and when it was heard to be over, in ms from submission.
 *
 * @param {number} count
 * @param {(n: number) => Promise<{ submittedAt: number, startedAt: number, endedAt: number }>} runOne
 */
export async function oneByOne(count, runOne) {
  const run = async (/** @type {number} */ n) => {
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
    return runOne(n)
  }
  const warmUntil = performance.now() + WARM_UP.ms
  for (let n = 0; n < WARM_UP.jobs && performance.now() < warmUntil; n += 1) await run(n)
  /** @type {number[]} */
  const startMs = []
  /** @type {number[]} */
  const endMs = []
  for (let n = 0; n < count; n += 1) {
    const { submittedAt, startedAt, endedAt } = await run(n)
    startMs.push(startedAt - submittedAt)
    endMs.push(endedAt - submittedAt)
  }
  return { startMs, endMs }
}
