import { toError } from '../core/errors.ts'
import { flat } from '../core/flat.ts'
import type { Job } from '../core/job.ts'
import { isPlainCompletion, type Settlement } from '../core/transition.ts'
import { log } from '../log.ts'
import { claimJobs, type Claim } from '../store/claim.ts'
import type { Store } from '../store/open.ts'
import type { ShortClaim } from '../store/short-claim.ts'
import type { Persist } from './persist.ts'

/** The longest that one is open, and that anybody has to wait for its rows. */
const LONGEST_MS = 150

/** The way out of RUNNING for jobs of a short claim. */
export interface OpenClaim {
  /** Resolves when they are stored. */
  settle(settlements: readonly Settlement[]): Promise<void>
}

/**
 * Short claims that are open. One ends when all of its jobs have completed, or one has ended otherwise, or it has
 * been open for too long: what has not completed by then is claimed for good, and goes on as if it always had been.
 */
export interface ShortClaims {
  add(claim: ShortClaim, leaseId: string, claims: readonly Claim[]): OpenClaim
  readonly size: number
  /** what is this node's, as it still stands in the queue */
  jobs(): Job[]
  /** resolves when none is open */
  idle(): Promise<void>
}

export interface ShortClaimsOptions {
  store: Store
  persist: Persist
  /** under the lease */
  settleClaimed(leaseId: string, settlements: readonly Settlement[]): Promise<unknown>
  /** after the commit */
  onSettled(jobs: Job[]): void
  /** these are somebody else's now: those that still run are to be stopped */
  onLost(ids: string[]): void
  /** one has ended */
  onRoom(): void
}

interface Open extends OpenClaim {
  claims: readonly Claim[]
  /** when it has ended, well or not */
  ended: Promise<void>
}

export function createShortClaims(options: ShortClaimsOptions): ShortClaims {
  const opened: Open[] = []
  return {
    get size() {
      return opened.length
    },
    add(claim, leaseId, claims) {
      const open = openClaim(options, claim, leaseId, claims)
      opened.push(open)
      void open.ended.then(() => {
        opened.splice(opened.indexOf(open), 1)
        options.onRoom()
      })
      return open
    },
    jobs: () => flat(opened.map(({ claims }) => claims)).map(({ job }) => job),
    async idle() {
      while (opened.length > 0) await Promise.all(opened.map(({ ended }) => ended))
    },
  }
}

function openClaim(
  options: ShortClaimsOptions,
  claim: ShortClaim,
  leaseId: string,
  claims: readonly Claim[],
): Open {
  const { store, persist, settleClaimed, onSettled, onLost } = options
  const settled: Settlement[] = []
  let isEnding = false
  let end: () => void = () => {}
  const toEnd = new Promise<void>((resolve) => (end = resolve))
  const timer = setTimeout(() => end(), LONGEST_MS)
  if (claims.length === 0) end()

  const claimAgain = async ({ message }: Error): Promise<Job[]> => {
    log.warn({ error: message, count: claims.length }, 'a short claim broke: claiming its jobs')
    const claimed = await persist.write(claims.length, () => claimJobs(store, leaseId, claims))
    return claimed.map(({ job }) => job)
  }

  const ending = async (): Promise<void> => {
    await toEnd
    isEnding = true
    clearTimeout(timer)
    const completions = settled.filter(isPlainCompletion)
    const others = without(claims, completions)
    const stored = await claim.end(completions, others).catch(toError)
    if (stored instanceof Error) {
      // Whether it was committed is not known, and shows by the rows: what is claimed now was not, and the fence of
      // each result knows.
      onLost(without(claims, await claimAgain(stored)).map(({ job }) => job.id))
      await settleClaimed(leaseId, settled)
      return
    }
    onSettled(stored.completed)
    onLost(without(others, stored.claimed).map(({ job }) => job.id))
    const left = settled.filter((each) => !isPlainCompletion(each))
    if (left.length > 0) await settleClaimed(leaseId, left)
  }
  const ended = ending().catch((error: unknown) =>
    log.error({ error, count: claims.length }, 'the results of a short claim could not be stored'),
  )

  return {
    claims,
    ended,
    async settle(settlements) {
      if (isEnding) {
        await ended
        await settleClaimed(leaseId, settlements)
        return
      }
      for (const each of settlements) settled.push(each)
      if (settled.length === claims.length || !settlements.every(isPlainCompletion)) end()
      await ended
    },
  }
}

/** Claims of jobs that are not among these; most often all are. */
function without(claims: readonly Claim[], jobs: readonly { id: string }[]): readonly Claim[] {
  if (claims.length === jobs.length) return []
  const ids = new Set(jobs.map(({ id }) => id))
  return claims.filter(({ job }) => !ids.has(job.id))
}
