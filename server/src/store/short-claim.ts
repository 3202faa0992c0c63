import type pg from 'pg'
import { toError } from '../core/errors.ts'
import type { Job } from '../core/job.ts'
import type { Completion } from '../core/transition.ts'
import {
  claimJobs,
  inOrderOfIds,
  toClaimed,
  type Claim,
  type Claimed,
  type ClaimedRow,
} from './claim.ts'
import { completeLockedJobs } from './complete.ts'
import { rerollLate } from './metrics.ts'
import type { Store } from './open.ts'
import { plainArray } from './parameters.ts'
import { runTuples, type Statement } from './run.ts'
import { toStoreError } from './unavailable.ts'

/**
 * An open transaction that keeps rows of jobs locked for the node that runs them: docs/decisions/0012. Nothing is
 * written before they have ended, and to everybody else they stand as queued.
 */
export interface ShortClaim {
  /**
   * The completed jobs move to the history, the others run under the node's lease from then on, and all of the rows
   * are let go of. Tells the completed jobs, and those others that are claimed: none where the lease is gone.
   * STORE_UNAVAILABLE: then it is unknown what was applied.
   */
  end(
    completions: readonly Completion[],
    others: readonly Claim[],
  ): Promise<{ completed: Job[]; claimed: Job[] }>
  /** Lets go of the rows with nothing done. */
  drop(): void
}

// The state is compared in `coalesce` for the reason in `claim.ts`. Rows that somebody else is at are left out, so
// that nothing is waited for.
const lock: Statement = {
  name: 'claim-shortly',
  text: `SELECT start.place::int, job.payload::text
    FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS start (id, attempt, place)
    JOIN job ON job.id = start.id AND job.attempt = start.attempt
    WHERE coalesce(job.state = 'QUEUED' AND cancel_requested_at IS NULL, false)
    FOR UPDATE OF job SKIP LOCKED`,
}

/**
 * Takes jobs as `claimJobs` does, for a moment: whoever wants to change one of their rows waits for the end of this.
 * Where the node dies the rows are free at once. Where it is frozen or cut off PostgreSQL lets go of them after
 * `leaseMs`, when it has stopped to run them as under a lease. STORE_UNAVAILABLE.
 */
export async function claimShortly(
  store: Store,
  nodeId: string,
  claims: readonly Claim[],
  leaseMs: number,
): Promise<{ claimed: Claimed[]; open: ShortClaim }> {
  const startedUs = Math.round(store.clock.now() * 1e3)
  const inOrder = inOrderOfIds(claims)
  const { client, close } = await begin(store.hot, leaseMs)
  const open = shortClaim(store, nodeId, client, close)
  try {
    const rows = await runTuples<ClaimedRow>(client, lock, [
      plainArray(inOrder.map(({ claim: { job } }) => job.id)),
      plainArray(inOrder.map(({ claim: { job } }) => job.attempt)),
    ])
    return { claimed: toClaimed(rows, inOrder, { nodeId, startedUs }), open }
  } catch (thrown) {
    open.drop()
    throw thrown
  }
}

// Apart, so that it does not hold on to payloads for as long as it is open.
function shortClaim(
  store: Store,
  nodeId: string,
  client: pg.PoolClient,
  close: (error?: Error) => void,
): ShortClaim {
  return {
    async end(completions, others) {
      try {
        const completed = await completeLockedJobs(client, nodeId, completions)
        const claimed = await claimJobs({ clock: store.clock, hot: client }, nodeId, others)
        await client.query('COMMIT')
        close()
        await rerollLate(store, completed)
        return { completed, claimed: claimed.map(({ job }) => job) }
      } catch (thrown) {
        close(toError(thrown))
        throw toStoreError(thrown)
      }
    },
    drop: () => close(new Error('not wanted any more')),
  }
}

/** A connection in a transaction that PostgreSQL ends where nothing is heard for `idleMs`. */
async function begin(
  pool: pg.Pool,
  idleMs: number,
): Promise<{ client: pg.PoolClient; close(error?: Error): void }> {
  const client = await pool.connect().catch((thrown: unknown) => {
    throw toStoreError(thrown)
  })
  // It breaks also while no statement is under way; the next one fails then.
  const ignore = (): void => {}
  client.on('error', ignore)
  let isOpen = true
  const close = (error?: Error): void => {
    if (!isOpen) return
    isOpen = false
    client.off('error', ignore)
    // With an error the connection is closed, and the transaction with it.
    client.release(error)
  }
  try {
    await client.query(
      `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${Math.round(idleMs)}`,
    )
  } catch (thrown) {
    close(toError(thrown))
    throw toStoreError(thrown)
  }
  return { client, close }
}
