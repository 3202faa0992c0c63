import type { MetricMinuteModel } from '../generated/prisma/models.ts'
import type { Store } from './open.ts'
import { run, transaction, type Queryable, type Statement } from './run.ts'

/** Ended jobs of one type in one minute; the times are sums over them. `minute` is its start, epoch ms. */
export type MetricsRow = Omit<MetricMinuteModel, 'minute'> & { minute: number }

/**
 * Ended jobs are rolled up by whole minutes, each computed from all its rows in one statement, so doing it
 * twice changes nothing. A minute is rolled up when it has been over for `LAG_S`: by then nearly all of its
 * rows are there. One that comes later (the database was away when the job ended) has its minute rolled up
 * again by whoever stores it.
 */
const LAG_S = 60
/** Half of it: what is stored later than this may have been missed. */
const LATE_MS = 30_000
const LOCK = 'heddle-metrics'

/** Sums per minute and type over the history rows that `where` picks. */
const sums = (where: string): string => `
  SELECT date_trunc('minute', finished_at) AS minute, type,
    (count(*) FILTER (WHERE state = 'COMPLETED'))::int AS completed,
    (count(*) FILTER (WHERE state = 'FAILED'))::int AS failed,
    (count(*) FILTER (WHERE state = 'CANCELLED'))::int AS cancelled,
    coalesce(sum(queue_time_ms), 0) AS queue_time_ms,
    coalesce(sum(execution_time_ms), 0) AS execution_time_ms,
    sum(total_time_ms) AS total_time_ms
  FROM job_history WHERE ${where}
  GROUP BY 1, 2`

const store = (where: string): string => `
  INSERT INTO metric_minute (minute, type, completed, failed, cancelled, queue_time_ms, execution_time_ms, total_time_ms)
  ${sums(where)}
  ON CONFLICT (minute, type) DO UPDATE SET completed = excluded.completed, failed = excluded.failed,
    cancelled = excluded.cancelled, queue_time_ms = excluded.queue_time_ms,
    execution_time_ms = excluded.execution_time_ms, total_time_ms = excluded.total_time_ms`

/** Minutes from here on are not rolled up. */
const rolledUntil = `coalesce((SELECT max(minute) + interval '1 minute' FROM metric_minute), '-infinity')`

const rollUp: Statement = {
  text: store(`finished_at >= ${rolledUntil}
    AND finished_at < date_trunc('minute', clock_timestamp() - interval '${LAG_S} seconds')`),
}
// Only minutes rolled up before: an early entry for a later one would make the roll-up skip those between.
const rollUpAgain: Statement = {
  text: store(`finished_at >= to_timestamp($1) AND finished_at < to_timestamp($1) + interval '1 minute'
    AND finished_at < ${rolledUntil}`),
}

async function locked(on: Queryable, how: 'try' | 'wait'): Promise<boolean> {
  const call = how === 'try' ? 'pg_try_advisory_xact_lock' : 'pg_advisory_xact_lock'
  const [row] = await run<{ got: unknown }>(on, { text: `SELECT ${call}(hashtext($1)) AS got` }, [
    LOCK,
  ])
  return row?.got !== false
}

/** Sums up what ended since the last time, unless another node is at it. STORE_UNAVAILABLE. */
export async function rollUpMetrics({ pool }: Store): Promise<void> {
  await transaction(pool, async (client) => {
    if (await locked(client, 'try')) await run(client, rollUp)
  })
}

/** For jobs just stored that ended so long ago that their minutes may have been rolled up without them. */
export async function rerollLate(
  { pool, clock }: Store,
  settled: { finishedAt: number | null }[],
): Promise<void> {
  const before = clock.now() - LATE_MS
  const minutes = new Set<number>()
  for (const { finishedAt } of settled) {
    if (finishedAt !== null && finishedAt < before)
      minutes.add(Math.floor(finishedAt / 60_000) * 60)
  }
  if (minutes.size === 0) return
  await transaction(pool, async (client) => {
    await locked(client, 'wait')
    for (const minute of minutes) await run(client, rollUpAgain, [minute])
  })
}

const sumFrom: Statement = {
  text: `SELECT date_part('epoch', minute) * 1e3 AS minute, type, completed, failed, cancelled,
      queue_time_ms AS "queueTimeMs", execution_time_ms AS "executionTimeMs", total_time_ms AS "totalTimeMs"
    FROM (${sums('finished_at >= to_timestamp($1::float8 / 1e3)')}) AS m ORDER BY minute, type`,
}

const MINUTE_MS = 60_000

/** Rolled-up minutes within the window, and the newest ones summed up live. STORE_UNAVAILABLE. */
export async function readMetrics(
  { prisma, pool, clock }: Store,
  windowMs: number,
): Promise<MetricsRow[]> {
  const from = Math.floor((clock.now() - windowMs) / MINUTE_MS) * MINUTE_MS
  const rolledUp = await prisma((client) =>
    client.metricMinute.findMany({
      where: { minute: { gte: new Date(from) } },
      orderBy: [{ minute: 'asc' }, { type: 'asc' }],
    }),
  )
  // From where this look at the roll-up ends: of a minute that joins it now nothing is counted twice or left out.
  const last = rolledUp.at(-1)
  const liveFrom = last ? last.minute.getTime() + MINUTE_MS : from
  const live = await run<MetricsRow>(pool, sumFrom, [liveFrom])
  return [...rolledUp.map((row) => ({ ...row, minute: row.minute.getTime() })), ...live]
}
