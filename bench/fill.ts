/** Fills the tables of a database of our own by SQL, far faster than any client could submit. */
import type pg from 'pg'

/** Before those of jobs that wait. */
const HISTORY_FROM_MS = 1_700_000_000_000
const QUEUE_FROM_MS = 1_764_000_000_000
/** Like the nodes' own ids: they sort by time, so rows come in the order of the primary key. */
const idOf = (n: string, fromMs: number): string =>
  `encode(int8send((${fromMs} + ${n} / 100) << 16 | 28672), 'hex')::text || '8000' || lpad(to_hex(${n}), 12, '0')`

const PRIORITIES = 10

/** Jobs that wait, numbers `from` to `to`, of ten priorities in turn. */
export async function fillQueue(
  pool: pg.Pool,
  { from, to }: { from: number; to: number },
  type = 'add_numbers',
): Promise<void> {
  await pool.query(
    `INSERT INTO job (id, name, type, priority, thread_demand, gang, state, rank, max_attempts, backoff,
       payload, created_at, run_at)
     SELECT (${idOf('n', QUEUE_FROM_MS)})::uuid, 'a job', $3, n % ${PRIORITIES}, 1, 1, 'QUEUED', -(n % ${PRIORITIES}), 3,
       '{"baseMs":1000,"maxMs":60000}', '{"a":1,"b":2}', clock_timestamp(), clock_timestamp()
     FROM generate_series($1::bigint, $2::bigint - 1) AS n`,
    [from, to, type],
  )
}

const BATCH = 1_000_000
const TYPES = ['add_numbers', 'reverse_string', 'resize_image', 'large_array_sum']

/** Jobs that have ended, one a hundredth of a second; indexes are made afterwards, which is quicker. */
export async function fillHistory(pool: pg.Pool, rows: number): Promise<void> {
  const { rows: indexes } = await pool.query<{ name: string; definition: string }>(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE tablename = 'job_history'
     AND indexname <> 'job_history_pkey'`,
  )
  for (const { name } of indexes) await pool.query(`DROP INDEX "${name}"`)
  const types = TYPES.map((type) => `'${type}'`).join()
  const batches = Array.from({ length: Math.ceil(rows / BATCH) }, (_, batch) => batch * BATCH)
  const lane = async (): Promise<void> => {
    for (let from = batches.shift(); from !== undefined; from = batches.shift()) {
      await pool.query(
        `INSERT INTO job_history (id, name, type, priority, thread_demand, gang, width, width_reason, state,
           rank, attempt, max_attempts, backoff, attempts, payload, result, created_at, run_at, started_at,
           finished_at, worker_name, queue_time_ms, execution_time_ms, total_time_ms)
         SELECT (${idOf('n', HISTORY_FROM_MS)})::uuid, 'a job', (ARRAY[${types}])[n % ${TYPES.length} + 1], 0, 1, 1, 1, 'AS_DEMANDED',
           (CASE WHEN n % 50 = 0 THEN 'FAILED' ELSE 'COMPLETED' END)::job_state, 0, 1, 3, '{}', '[]', '{"a":1,"b":2}',
           '3', at, at, at, at, 'worker-1', 1, 1, 2
         FROM (SELECT n, now() - ($3 - n) * interval '10 ms' AS at FROM generate_series($1::bigint, $2::bigint) AS n) AS rows`,
        [from, Math.min(from + BATCH, rows) - 1, rows],
      )
    }
  }
  await Promise.all([lane(), lane()])
  for (const { definition } of indexes) await pool.query(definition)
  await pool.query('VACUUM (ANALYZE) job_history')
}
