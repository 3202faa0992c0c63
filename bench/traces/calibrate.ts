/**
 * How right the product's answer to "when will it start?" would have been, asked of every waiting job of
 * a trace when it is submitted.
 *
 *   tsx bench/traces/calibrate.ts <file.swf> [--threads 240]
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createCalibration, type Told } from '../../server/src/core/calibration.ts'
import { createEstimator } from '../../server/src/core/estimate.ts'
import { explain } from '../../server/src/core/explain.ts'
import { plan, type PlanView } from '../../server/src/core/plan.ts'
import { simulate } from '../../server/src/core/simulate.ts'
import { parseSwf, toSimulatedJob } from './swf.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: 'string', default: '240' } },
})
const [file] = positionals
if (!file) throw new Error('usage: tsx bench/traces/calibrate.ts <file.swf> [--threads N]')
const threads = Number(values.threads)
const jobs = parseSwf(readFileSync(file, 'utf8')).jobs.map((job) => toSimulatedJob(job, threads))
const byId = new Map(jobs.map((job) => [job.id, job]))

const estimator = createEstimator()
const asked = new Set<string>()
const told = new Map<string, Told>()
/** as the product corrects its estimates, and as the simulation gives them */
const calibration = createCalibration(jobs.length)
const uncorrected = createCalibration(jobs.length)
let costMs = 0

function ask(view: PlanView): void {
  const workers = view.workers.map((worker) => ({
    ...worker,
    running: worker.running.map((run) => ({ ...byId.get(run.jobId), ...run })),
  }))
  for (const job of view.queued) {
    if (asked.has(job.id)) continue
    asked.add(job.id)
    const before = performance.now()
    const { reason, estimatedStart } = explain({ ...view, workers, estimator }, job)
    costMs += performance.now() - before
    if (reason !== 'STARTS_NOW' && estimatedStart)
      told.set(job.id, calibration.correct(estimatedStart, view.now))
  }
}

const runs = simulate({
  jobs,
  workers: [{ name: 'worker-1', threads }],
  policy: { predictions: 'learnt', reservations: true },
  estimator,
  decide(view) {
    ask(view)
    const planned = plan(view)
    for (const { id } of planned.starts) {
      const estimate = told.get(id)
      if (!estimate) continue
      calibration.record(estimate, view.now)
      uncorrected.record({ ...estimate, ...estimate.simulated }, view.now)
    }
    return planned
  },
})
const waited = runs.filter(({ job, startAt }) => startAt > job.createdAt).length
process.stdout.write(
  `${JSON.stringify(
    {
      waited,
      told: calibration.figures(),
      simulated: uncorrected.figures(),
      meanCostMs: costMs / asked.size,
    },
    null,
    2,
  )}\n`,
)
