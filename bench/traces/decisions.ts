/**
 * What one decision costs against the length of the queue: a job ends, the planner decides what starts
 * in its place, a new job arrives.
 *
 *   node --expose-gc --import tsx bench/traces/decisions.ts
 */
import type { QueuedJob } from '../../server/src/core/job.ts'
import { percentile } from '../../server/src/core/metrics.ts'
import { plan, type PlannedWorker } from '../../server/src/core/plan.ts'
import { createQueue } from '../../server/src/core/queue.ts'

const LENGTHS = [1_000, 10_000, 100_000, 1_000_000]
const DECISIONS = 20_000
const WORKERS = [4, 8, 16]

/** Small and repeatable: the figures should not depend on luck. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function measure(length: number, wide: boolean) {
  const random = createRandom(length)
  let made = 0
  const newJob = (): QueuedJob => {
    made += 1
    // One job in ten is as wide as the largest worker, so that most decisions have a head to protect.
    const gang = wide && random(10) === 0 ? 16 : 1
    const id = `00000000-0000-7000-8000-${made.toString(16).padStart(12, '0')}`
    return { id, type: 'any', rank: -random(10), gang, threadDemand: gang, createdAt: made }
  }
  const before = memory()
  const queue = createQueue()
  for (let i = 0; i < length; i += 1) queue.add(newJob())
  const bytes = (memory() - before) / length

  const workers: PlannedWorker[] = WORKERS.map((threads, i) => ({
    name: `w${i}`,
    threads,
    running: [],
  }))
  const costs: number[] = []
  let now = 0
  let starts = 0
  const began = performance.now()
  for (let i = 0; i < DECISIONS; i += 1) {
    now += 1
    const from = performance.now()
    const planned = plan({
      queued: queue,
      workers,
      clusterMaxThreads: Math.max(...WORKERS),
      now,
      predict: (job) => (job.gang > 1 ? 50 : 10),
    })
    for (const { id } of planned.starts) queue.remove(id)
    costs.push((performance.now() - from) * 1000)
    starts += planned.starts.length
    for (const start of planned.starts) {
      const worker = workers.find(({ name }) => name === start.workerName)
      worker?.running.push({
        jobId: start.id,
        type: 'any',
        width: start.width,
        rank: 0,
        startedAt: now,
        expectedEndAt: now + (start.width > 1 ? 50 : 10),
      })
      queue.add(newJob())
    }
    for (const worker of workers) worker.running.splice(random(4), 1)
  }
  const seconds = (performance.now() - began) / 1000
  return {
    queued: length,
    jobs: wide ? 'one in ten 16 wide' : 'one thread each',
    bytesPerJob: Math.round(bytes),
    decisionsPerS: Math.round(DECISIONS / seconds),
    startsPerDecision: starts / DECISIONS,
    p50Us: percentile(costs, 0.5),
    p99Us: percentile(costs, 0.99),
  }
}

function memory(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

measure(1000, true)
const rows = [false, true].flatMap((wide) => LENGTHS.map((length) => measure(length, wide)))
for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`)
