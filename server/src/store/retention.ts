import type { Store } from './open.ts'
import { run, transaction, type Statement } from './run.ts'

const LOCK = 'heddle-retention'
/** One call deletes at most this many batches, so that a shutdown never waits long for it. */
const MAX_BATCHES = 20

const lock: Statement = { text: 'SELECT pg_try_advisory_xact_lock(hashtext($1)) AS got' }
const trim: Statement = {
  text: `WITH gone AS (
    DELETE FROM job_history WHERE id IN (
      SELECT id FROM job_history WHERE finished_at < clock_timestamp() - $1 * interval '1 ms'
      ORDER BY finished_at, id LIMIT $2
    ) RETURNING id
  ), keys AS (
    DELETE FROM idempotency_key USING gone WHERE job_id = gone.id
  )
  SELECT count(*)::int AS deleted FROM gone`,
}

/**
 * Deletes ended jobs older than `maxAgeMs`, and the idempotency keys that lead to them, unless another
 * node is at it. Short transactions of `batch` rows. Resolves with how many. STORE_UNAVAILABLE.
 */
export async function trimHistory(
  { pool }: Store,
  { maxAgeMs, batch }: { maxAgeMs: number; batch: number },
): Promise<number> {
  let total = 0
  for (let round = 0; round < MAX_BATCHES; round += 1) {
    const deleted = await transaction(pool, async (client) => {
      const [row] = await run<{ got: boolean }>(client, lock, [LOCK])
      if (!row?.got) return 0
      const [result] = await run<{ deleted: number }>(client, trim, [maxAgeMs, batch])
      return result?.deleted ?? 0
    })
    total += deleted
    if (deleted < batch) break
  }
  return total
}
