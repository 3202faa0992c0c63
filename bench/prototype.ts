/**
 * The yardstick: the least code that takes jobs from a table, runs them in two bare threads and writes
 * them to a history. It has no priorities worth the name, no leases, no fencing, no retries, no limits, no
 * events, and dies with its first error: what a scheduler costs beyond it is what Heddle adds.
 */
import { Worker } from 'node:worker_threads'
import pg from 'pg'

const PER_CLAIM = 500
const PER_MESSAGE = 32
const THREADS = 2
const FLIGHTS = 4

const thread = `
const { parentPort } = require('node:worker_threads')
parentPort.on('message', (jobs) => parentPort.postMessage(jobs.map(({ id, payload }) => {
  const { a, b } = JSON.parse(payload)
  return { id, result: JSON.stringify(a + b) }
})))`

interface Row {
  id: string
  payload: string
}
interface Done {
  id: string
  result: string
}

const tables = `
DROP TABLE IF EXISTS bare_job, bare_history;
CREATE TABLE bare_job (id bigint PRIMARY KEY, priority int NOT NULL, state text NOT NULL, payload json NOT NULL);
CREATE INDEX bare_queue ON bare_job (priority DESC, id) WHERE state = 'QUEUED';
CREATE TABLE bare_history (id bigint PRIMARY KEY, priority int NOT NULL, payload json NOT NULL, result json,
  finished_at timestamptz NOT NULL);`

const fill = `INSERT INTO bare_job SELECT n, 0, 'QUEUED', json_build_object('a', n, 'b', 1)
  FROM generate_series(1, $1::int) AS n`

const claim = `UPDATE bare_job SET state = 'RUNNING' WHERE id IN (
    SELECT id FROM bare_job WHERE state = 'QUEUED' ORDER BY priority DESC, id LIMIT ${PER_CLAIM}
    FOR UPDATE SKIP LOCKED
  ) RETURNING id, payload::text AS payload`

const finish = `WITH done AS (
    DELETE FROM bare_job USING unnest($1::bigint[], $2::text[]) AS t (id, result)
    WHERE bare_job.id = t.id RETURNING bare_job.id, priority, payload, t.result::json AS result
  ) INSERT INTO bare_history SELECT id, priority, payload, result, now() FROM done`

/** Drains `jobs` tiny jobs from a table of its own; jobs per second. */
export async function drainBare(url: string, jobs: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: url, max: FLIGHTS + 2 })
  await pool.query(tables)
  await pool.query(fill, [jobs])
  await pool.query('VACUUM ANALYZE bare_job')
  const threads = Array.from({ length: THREADS }, () => new Worker(thread, { eval: true }))
  await Promise.all(threads.map((each) => new Promise((resolve) => each.once('online', resolve))))
  const startedAt = performance.now()
  await drain(pool, threads, jobs)
  const seconds = (performance.now() - startedAt) / 1000
  await Promise.all(threads.map((each) => each.terminate()))
  await pool.query('DROP TABLE bare_job, bare_history')
  await pool.end()
  return jobs / seconds
}

async function drain(pool: pg.Pool, threads: Worker[], jobs: number): Promise<void> {
  const toRun: Row[] = []
  const done: Done[] = []
  let claims = 0
  let finishes = 0
  let finished = 0
  let empty = false
  await new Promise<void>((resolve, reject) => {
    const idle = [...threads]
    const step = (): void => {
      for (let free = idle.pop(); free; free = idle.pop()) {
        if (toRun.length === 0) {
          idle.push(free)
          break
        }
        free.postMessage(toRun.splice(0, PER_MESSAGE))
      }
      while (!empty && claims < 2 && toRun.length < 2 * PER_CLAIM) {
        claims += 1
        pool.query<Row>({ name: 'bare-claim', text: claim }).then(({ rows }) => {
          claims -= 1
          empty = rows.length === 0
          toRun.push(...rows)
          step()
        }, reject)
      }
      while (finishes < 2 && (done.length >= PER_CLAIM || (done.length > 0 && finishes === 0))) {
        const batch = done.splice(0, PER_CLAIM)
        finishes += 1
        const values = [batch.map(({ id }) => id), batch.map(({ result }) => result)]
        pool.query({ name: 'bare-finish', text: finish, values }).then(() => {
          finishes -= 1
          finished += batch.length
          if (finished === jobs) resolve()
          else step()
        }, reject)
      }
    }
    for (const each of threads) {
      each.on('message', (results: Done[]) => {
        done.push(...results)
        idle.push(each)
        step()
      })
    }
    step()
  })
}
