/**
 * Graphile Worker, in two variants, both configured as in its guide to performance:
 *
 * - `default`: batching disabled, as it is unless told
 * - `tuned`: local queue and batched completion
 *
 * It runs tasks in its own process; for compute-heavy ones its guide has more processes. A job is deleted
 * when it ends: neither it nor its result is kept.
 */
import { EventEmitter } from 'node:events'
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'
import { perform } from '../compare/workload.mjs'

// As its own performance test does: a line per job would be measured otherwise.
process.env.NO_LOG_SUCCESS = '1'
const logger = new Logger(() => (level, message) => {
  if (level === 'error') console.error(message)
})

/** Its event of a job's end comes before that end is stored. */
export const tellsEnd = false

/** It connects as it begins to take jobs, and says when it does. */
export const tellsStart = true

/** Its guide: small where jobs are slow, so that no process hoards what another could run. */
function localQueueSize({ ms }) {
  if (ms === 0) return 500
  return ms === 1 ? 20 : 2
}

/** For jobs that use no CPU as many as in its own performance test, which two cores bear as well. */
const processesFor = ({ ms, cores }) => (ms > 0 ? cores : Math.min(4, cores))

export const settings = (cell) => ({
  processes: processesFor(cell),
  concurrentJobs: cell.ms > 0 ? 1 : 24,
  maxPoolSize: 25,
  ...(cell.variant === 'tuned'
    ? {
        localQueue: { size: localQueueSize(cell) },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      }
    : {}),
})

const openUtils = ({ postgresUrl }) => makeWorkerUtils({ connectionString: postgresUrl, logger })

export async function prepare(cell) {
  const utils = await openUtils(cell)
  await utils.migrate()
  await utils.release()
}

export async function openProducer(cell) {
  const utils = await openUtils(cell)
  const pool = new pg.Pool({ connectionString: cell.postgresUrl, max: 1 })
  return {
    send: (jobs) =>
      jobs.length === 1
        ? utils.addJob(jobs[0].kind, jobs[0].payload)
        : utils.addJobs(jobs.map(({ kind, payload }) => ({ identifier: kind, payload }))),
    async isEmpty() {
      const { rows } = await pool.query('SELECT FROM graphile_worker._private_jobs LIMIT 1')
      return rows.length === 0
    },
  }
}

export async function prepareWorker(cell, { onStart, onDone }) {
  const { processes: _, ...worker } = settings(cell)
  const events = new EventEmitter()
  for (const name of ['localQueue:init', 'worker:getJob:start']) events.once(name, onStart)
  const task = (kind) => async (payload) => onDone(perform(kind, payload))
  return async () => {
    await run({
      preset: { worker: { connectionString: cell.postgresUrl, logger, ...worker } },
      taskList: Object.fromEntries(
        ['noop', 'spin', 'touch', 'stamp'].map((kind) => [kind, task(kind)]),
      ),
      events,
      noHandleSignals: true,
    })
  }
}
