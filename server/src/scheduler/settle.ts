import type { Job } from '../core/job.ts'
import type { Outcome } from '../core/outcome.ts'
import { settle, type Settlement } from '../core/transition.ts'
import { log } from '../log.ts'
import type { Store } from '../store/open.ts'
import { settleJobs } from '../store/settle.ts'
import type { WorkResult } from '../workers/worker.ts'
import { createBatcher } from './batcher.ts'
import { createPersist } from './persist.ts'
import type { RunningJob, StopReason } from './running.ts'
import { createShortClaims, type OpenClaim, type ShortClaims } from './short-claims.ts'

/** Results in one statement. */
const BATCH = 1000
/**
 * Results that wait to be stored, with those of two statements under way, before no more jobs are claimed. Claims
 * cost the database less than ends and get as much of it, so without a limit results pile up for as long as the
 * queue is full: 24,000 of the first 200,000 tiny jobs.
 */
const MAX_UNSTORED = 3 * BATCH

/**
 * The one way out of RUNNING. Every outcome becomes a settlement under the lease the job was claimed
 * with; batches of them are written until the database takes them. A result outlives an outage in this
 * process's memory: at most `MAX_UNSTORED`, and those of the jobs that were running.
 */
export interface Settler {
  settle(ended: readonly EndedRun[]): void
  /** false while so many results wait that no more jobs should be claimed */
  hasRoom(): boolean
  shortClaims: ShortClaims
  /** ended here, but perhaps not yet in the table */
  isPending(id: string): boolean
  idle(): Promise<void>
  /** gives up on an unreachable database: the leases lapse and other nodes rerun the jobs */
  abandon(): void
}

export interface EndedRun {
  entry: Pick<RunningJob, 'job' | 'leaseId' | 'shortClaim' | 'stopReason'>
  result: Pick<WorkResult, 'outcome' | 'startedAt' | 'finishedAt'>
}

export interface SettlerOptions {
  store: Store
  /** after the commit, in order */
  onSettled(jobs: Job[]): void
  /** `hasRoom` has become true again */
  onRoom(): void
  /** somebody else decides about these jobs: those that still run here are to be stopped */
  onLost(ids: string[]): void
}

interface Item {
  leaseId: string
  settlement: Settlement
}

/** Nearly always one: most jobs complete, and a node changes its lease only after it was cut off. */
function alike(items: readonly Item[]): (readonly Item[])[] {
  const [first] = items
  if (!first || items.every((item) => areAlike(first, item))) return [items]
  const groups: Item[][] = []
  for (const item of items) {
    const group = groups.find(([other]) => other && areAlike(other, item))
    if (group) group.push(item)
    else groups.push([item])
  }
  return groups
}

/** Nearly always one: an order is claimed in one way. */
function byClaim(
  ended: readonly EndedRun[],
  items: Item[],
): (readonly [claim: OpenClaim | null, items: Item[]])[] {
  const claim = ended[0]?.entry.shortClaim ?? null
  if (ended.every(({ entry }) => entry.shortClaim === claim)) return [[claim, items]]
  const groups = new Map<OpenClaim | null, Item[]>()
  for (const [at, { entry }] of ended.entries()) {
    const own = groups.get(entry.shortClaim) ?? []
    groups.set(entry.shortClaim, own)
    if (items[at]) own.push(items[at])
  }
  return [...groups]
}

const areAlike = (a: Item, b: Item): boolean =>
  a.leaseId === b.leaseId && (a.settlement.to === 'COMPLETED') === (b.settlement.to === 'COMPLETED')

/** A stop that nobody asked for costs the job no attempt. */
const seenOutcome = (stopReason: StopReason | null, outcome: Outcome): Outcome =>
  outcome.kind === 'cancelled' && stopReason !== 'cancel' ? { kind: 'interrupted' } : outcome

export function createSettler({ store, onSettled, onRoom, onLost }: SettlerOptions): Settler {
  /** by the call they came with */
  const pending: { items: Item[]; stored: Promise<unknown> }[] = []
  let unstored = 0
  const persist = createPersist()

  const write = async (leaseId: string, settlements: Settlement[]): Promise<Job[]> => {
    let tries = 0
    const { settled, refused } = await persist.write(settlements.length, () => {
      tries += 1
      return settleJobs(store, leaseId, settlements)
    })
    // After a try of unknown end a refusal only says that it had been written.
    if (refused.length > 0 && tries === 1) {
      log.warn(
        { jobs: refused.slice(0, 10), count: refused.length },
        'results of lost leases were dropped',
      )
    }
    return settled
  }

  const batches = createBatcher<Item, null>({
    maxItems: BATCH,
    maxFlights: store.kind === 'postgres' ? 2 : 1,
    async run(items) {
      try {
        for (const group of alike(items)) {
          const leaseId = group[0]?.leaseId ?? ''
          const settlements = group.map((item) => item.settlement)
          onSettled(await write(leaseId, settlements))
        }
      } catch (error) {
        log.error(
          { error, count: items.length },
          'results could not be stored; their leases will lapse',
        )
      }
      return items.map(() => null)
    },
  })

  const shortClaims = createShortClaims({
    store,
    persist,
    settleClaimed: (leaseId, settlements) =>
      storeAll(settlements.map((settlement) => ({ leaseId, settlement }))),
    onSettled,
    onLost,
    onRoom,
  })

  const hasRoom = (): boolean => unstored < MAX_UNSTORED
  const storeAll = async (items: Item[]): Promise<void> => {
    unstored += items.length
    await batches.add(items)
    const hadRoom = hasRoom()
    unstored -= items.length
    if (!hadRoom && hasRoom()) onRoom()
  }

  return {
    settle(ended) {
      if (ended.length === 0) return
      const now = store.clock.now()
      const clockOffset = now - (performance.timeOrigin + performance.now())
      const items = ended.map(({ entry, result }): Item => ({
        leaseId: entry.leaseId,
        settlement: settle(entry.job, seenOutcome(entry.stopReason, result.outcome), {
          now,
          startedAt: result.startedAt + clockOffset,
          finishedAt: result.finishedAt + clockOffset,
          jitter: Math.random(),
        }),
      }))
      const ways = byClaim(ended, items).map(([claim, own]) =>
        claim ? claim.settle(own.map(({ settlement }) => settlement)) : storeAll(own),
      )
      const entry = { items, stored: Promise.all(ways) }
      pending.push(entry)
      void entry.stored.then(() => pending.splice(pending.indexOf(entry), 1))
    },
    shortClaims,
    hasRoom,
    isPending: (id) =>
      pending.some(({ items }) => items.some(({ settlement }) => settlement.id === id)),
    async idle() {
      while (pending.length > 0) await Promise.all(pending.map(({ stored }) => stored))
      await shortClaims.idle()
    },
    abandon: () => persist.abandon(),
  }
}
