import type { Backoff } from '../core/job.ts'
import type { QueueOrder } from '../core/rank.ts'
import type { Store } from './open.ts'
import { run, type Statement } from './run.ts'

export interface RegisteredType {
  type: string
  parallel: boolean
  timeoutMs: number | null
  maxAttempts: number
  backoff: Backoff
}

const upsert: Statement = {
  text: `INSERT INTO job_type (type, parallel, timeout_ms, max_attempts, backoff, aging_ms, fair_share)
    SELECT type, parallel, timeout_ms, max_attempts, backoff::json, $6, $7
    FROM unnest($1::text[], $2::bool[], $3::int[], $4::int[], $5::text[])
      AS t (type, parallel, timeout_ms, max_attempts, backoff)
    ORDER BY type
    ON CONFLICT (type) DO UPDATE SET parallel = excluded.parallel, timeout_ms = excluded.timeout_ms,
      max_attempts = excluded.max_attempts, backoff = excluded.backoff, aging_ms = excluded.aging_ms,
      fair_share = excluded.fair_share`,
}

/**
 * Tells the SQL function `heddle_enqueue` what this node can run, and how its queue is ordered.
 * STORE_UNAVAILABLE.
 */
export async function registerTypes(
  { pool }: Store,
  types: RegisteredType[],
  order: QueueOrder,
): Promise<void> {
  await run(pool, upsert, [
    types.map(({ type }) => type),
    types.map(({ parallel }) => parallel),
    types.map(({ timeoutMs }) => timeoutMs),
    types.map(({ maxAttempts }) => maxAttempts),
    types.map(({ backoff }) => JSON.stringify(backoff)),
    order.agingMs,
    order.fairShare,
  ])
}
