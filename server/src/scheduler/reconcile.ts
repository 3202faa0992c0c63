import { heldJobs } from '../store/held.ts'
import type { Store } from '../store/open.ts'
import type { Dispatch } from './dispatch.ts'
import { createLoop, type Loop } from './loop.ts'
import type { Membership } from './membership.ts'
import type { Running } from './running.ts'
import type { Settler } from './settle.ts'

const EVERY_MS = 5_000
/**
 * For how long a claim may still be committed after its answer was lost: PostgreSQL goes on with a statement
 * whose client is gone, at most until its time limit (30 s, `store/server.ts`).
 */
const LATE_MS = 40_000

export interface Reconcile {
  /** Gives back what stands under this node's lease without it knowing. STORE_UNAVAILABLE. */
  now(): Promise<void>
  /** the same again and again after each such claim, for as long as it may come late */
  loop: Loop
}

export interface ReconcileOptions {
  store: Store
  membership: Pick<Membership, 'leaseId'>
  running: Running
  settler: Settler
  dispatch: Pick<Dispatch, 'claiming'>
}

/** A claim whose answer was lost on the way may have been committed: its jobs would be held by nobody for ever. */
export function createReconcile(options: ReconcileOptions): Reconcile {
  const { store, membership, running, settler, dispatch } = options
  let lateUntil = -Infinity

  const giveBack = async (): Promise<void> => {
    const leaseId = membership.leaseId()
    const claiming = new Set(dispatch.claiming())
    const held = await heldJobs(store, leaseId)
    for (const id of dispatch.claiming()) claiming.add(id)
    const now = performance.timeOrigin + performance.now()
    const known = running.byId()
    const unknown = held.filter(
      ({ id }) => !known.has(id) && !settler.isPending(id) && !claiming.has(id),
    )
    settler.settle(
      unknown.map((job) => ({
        entry: { job, leaseId, shortClaim: null, stopReason: null },
        result: { outcome: { kind: 'interrupted' }, startedAt: now, finishedAt: now },
      })),
    )
  }

  return {
    now() {
      lateUntil = performance.now() + LATE_MS
      return giveBack()
    },
    loop: createLoop('late claims', EVERY_MS, async () => {
      if (performance.now() < lateUntil) await giveBack()
    }),
  }
}
