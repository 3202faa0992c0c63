/**
 * pg-boss, in batches and with what its documentation has for throughput and latency: a worker that gets a
 * full batch fetches again at once, and new jobs are told by NOTIFY. It runs jobs in its own process. The
 * row of a job is kept for a week when it completes; in batches its result is not.
 */
import { PgBoss } from 'pg-boss'
import pg from 'pg'
import { perform } from '../compare/workload.mjs'

const QUEUE = 'bench'

/** A worker is told when its handler ends, and nobody of the end being stored. */
export const tellsEnd = false

/** Bursts need batches of two or more; a larger one hoards CPU-bound jobs that another could run. */
function batchSizeOf({ ms }) {
  if (ms === 0) return 1000
  return ms === 1 ? 50 : 2
}

/** As with BullMQ: on two cores one process was no slower than two, with jobs that use no CPU. */
const processesFor = ({ ms, cores }) =>
  ms > 0 ? cores : Math.max(1, Math.min(4, Math.floor(cores / 2)))

export const settings = (cell) => ({
  processes: processesFor(cell),
  batchSize: batchSizeOf(cell),
  localConcurrency: 2,
  burstWhenBatchFull: true,
  pollingIntervalSeconds: 0.5,
  notify: true,
})

async function open({ postgresUrl }) {
  const boss = new PgBoss({
    connectionString: postgresUrl,
    useListenNotify: true,
    schedule: false,
    supervise: false,
  })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  return boss
}

export async function prepare(cell) {
  const boss = await open(cell)
  await boss.createQueue(QUEUE, { notify: true })
  await boss.stop({ graceful: false })
}

export async function openProducer(cell) {
  const boss = await open(cell)
  const pool = new pg.Pool({ connectionString: cell.postgresUrl, max: 1 })
  const entry = ({ kind, payload }) => ({ data: { kind, payload } })
  return {
    send: (jobs) =>
      jobs.length === 1
        ? boss.send(QUEUE, entry(jobs[0]).data)
        : boss.insert(QUEUE, jobs.map(entry)),
    async isEmpty() {
      const { rows } = await pool.query(
        `SELECT FROM pgboss.job WHERE name = $1 AND state < 'completed' LIMIT 1`,
        [QUEUE],
      )
      return rows.length === 0
    },
  }
}

export async function prepareWorker(cell, { onDone }) {
  const boss = await open(cell)
  const { processes: _, notify: __, ...options } = settings(cell)
  return async () => {
    await boss.work(QUEUE, options, async (jobs) => {
      for (const { data } of jobs) onDone(perform(data.kind, data.payload))
    })
  }
}
