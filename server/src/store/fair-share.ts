/**
 * The accounts of fair share, in the database and so the same for every node: see `core/fair-share.ts`.
 * Whoever locks rows of jobs and accounts takes the jobs first, then the accounts in order of their keys.
 */
import { FAIR_WEIGHT, type Use } from '../core/fair-share.ts'
import type { Store } from './open.ts'
import { run, type Statement } from './run.ts'

/** Thread time that lies this far back counts half in what a key is said to have used. */
const HALF_LIFE_S = 3600
/** The account of a key that has used nothing for so long is forgotten: it would start afresh anyway. */
const FORGET_S = 86_400
/** Keys in one answer: those that used most. */
const LISTED = 500

/** Parts of a WITH after a part `ended` of jobs with `used_ms`: corrects what was charged in advance for `which`. */
export const correctCharges = (which = 'true'): string => `uses AS MATERIALIZED (
    SELECT fairness_key AS key, sum(CASE WHEN turn IS NULL THEN 0 ELSE fair_cost_ms END) AS charged_ms,
      sum(ended.used_ms) AS added_ms
    FROM ended WHERE fair_cost_ms IS NOT NULL AND ${which} GROUP BY 1
  ), accounts AS MATERIALIZED (
    SELECT fair_share.key FROM fair_share JOIN uses USING (key) ORDER BY key FOR UPDATE OF fair_share
  ), corrected AS (
    UPDATE fair_share SET owed = owed + (added_ms - charged_ms) / weight,
      used_ms = ${decayed()} + added_ms, used_at = clock_timestamp()
    FROM uses JOIN accounts USING (key) WHERE fair_share.key = uses.key
  )`

/** What is left of `used_ms`; nothing after fifty halvings, which also keeps the power from underflowing. */
function decayed(): string {
  const halvings = `date_part('epoch', clock_timestamp() - used_at) / ${HALF_LIFE_S}`
  return `CASE WHEN ${halvings} > 50 THEN 0 ELSE fair_share.used_ms * power(0.5, ${halvings}) END`
}

const list: Statement = {
  text: `SELECT key, weight, ${decayed()} AS "usedThreadMs" FROM fair_share
    ORDER BY 3 DESC, key LIMIT ${LISTED}`,
}
const setWeight: Statement = {
  text: `INSERT INTO fair_share (key, weight) VALUES ($1, $2)
    ON CONFLICT (key) DO UPDATE SET weight = excluded.weight
    RETURNING key, weight, ${decayed()} AS "usedThreadMs"`,
}
const forget: Statement = {
  text: `DELETE FROM fair_share WHERE key IN (
    SELECT key FROM fair_share
    WHERE weight = ${FAIR_WEIGHT.default} AND used_at < clock_timestamp() - interval '${FORGET_S} seconds'
    ORDER BY key FOR UPDATE SKIP LOCKED
  )`,
}

const give: Statement = { name: 'give-turns', text: 'SELECT heddle_give_turns($1) AS given' }
const forgetTurns: Statement = {
  text: `UPDATE job SET turn = NULL, fair_cost_ms = NULL,
      rank = coalesce(date_part('epoch', created_at) * 1e3 - priority * $1::float8, -priority)
    WHERE state IN ('QUEUED', 'SCHEDULED') AND fair_cost_ms IS NOT NULL`,
}

/**
 * Gives the next waiting jobs of each key their turns, and moves those of keys that owe, or are owed. Resolves
 * with how many jobs' turns changed; 0 also where another node is at it. STORE_UNAVAILABLE.
 */
export async function giveTurns({ pool }: Store, agingMs: number | null): Promise<number> {
  const [row] = await run<{ given: number }>(pool, give, [agingMs])
  return row?.given ?? 0
}

/** Puts what waits back in the order of its submission, for a cluster in which fair share is off. STORE_UNAVAILABLE. */
export async function dropTurns({ pool }: Store, agingMs: number | null): Promise<void> {
  await run(pool, forgetTurns, [agingMs])
}

/** The keys that used most of late. STORE_UNAVAILABLE. */
export const listFairShares = ({ pool }: Store): Promise<Use[]> => run<Use>(pool, list)

/** Holds for jobs submitted from now on. STORE_UNAVAILABLE. */
export async function setFairWeight({ pool }: Store, key: string, weight: number): Promise<Use> {
  const [row] = await run<Use>(pool, setWeight, [key, weight])
  if (!row) throw new Error('an upsert gave no row back')
  return row
}

/** Drops the accounts of keys nobody uses any more. STORE_UNAVAILABLE. */
export const forgetIdleShares = async ({ pool }: Store): Promise<void> => {
  await run(pool, forget)
}
