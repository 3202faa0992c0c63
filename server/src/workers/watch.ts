/**
 * Time limits, and who waits behind a run that takes longer than expected. Between two looks it sleeps for as long
 * as nothing of that can be due: a thread that is at work for an hour does not wake its process.
 */
import { MAX_TIMER_MS } from '../core/timer.ts'
import { ofItem } from './packing.ts'
import { now, type Run, type Stop } from './run.ts'
import { isWaiting, lastStarted, runningItem, tellUnsent } from './run-items.ts'

/** How often it looks at what is overdue and not over yet. */
const OVERDUE_MS = 40
/**
 * An item that runs for longer than this holds the others of its batch hostage: those behind it are handed back, and
 * the answers of those before it are told.
 */
const HOSTAGE_MS = 50
/** An order that has waited for this long to come next goes back: the one before it takes longer than expected. */
const NEXT_MS = 250

export interface WatchOptions {
  /** those that have not ended */
  runs(): Run[]
  stop(run: Run, index: number, reason: Stop): void
  handBack(run: Run): void
}

export interface Watch {
  /** one more run to watch */
  take(run: Run): void
  /** nothing is left to watch */
  rest(): void
}

export function createWatch({ runs, stop, handBack }: WatchOptions): Watch {
  let timer: NodeJS.Timeout | undefined
  let wakesAt = Infinity

  const wakeIn = (ms: number, at: number): void => {
    if (at + ms >= wakesAt) return
    clearTimeout(timer)
    wakesAt = at + ms
    timer = setTimeout(look, Math.min(Math.ceil(ms), MAX_TIMER_MS))
  }

  const check = (run: Run, at: number): void => {
    if (isWaiting(run) && at - run.startedAt > NEXT_MS) handBack(run)
    if (!run.begun) return
    const { index, startedAt } = runningItem(run)
    if (index < 0 || startedAt === 0 || run.answered[index]) return
    const ranMs = at - startedAt
    const limit = ofItem(run.order.timeoutsMs, index) ?? null
    if (ranMs > HOSTAGE_MS && run.unanswered > 1) tellUnsent(run)
    if (limit !== null && ranMs > limit) {
      // One that has just ended of itself leaves the thread to the next, which is not to blame.
      if (lastStarted(run) === index) stop(run, index, 'timeout')
      else handBack(run)
    } else if (ranMs > HOSTAGE_MS && index + 1 < run.order.count) {
      handBack(run)
    }
  }

  const look = (): void => {
    wakesAt = Infinity
    const at = now()
    for (const run of runs()) check(run, at)
    const left = runs().map((run) => leftMs(run, at))
    wakeIn(Math.min(...left), at)
  }

  return {
    take(run) {
      const at = now()
      wakeIn(leftMs(run, at), at)
    },
    rest() {
      clearTimeout(timer)
      wakesAt = Infinity
    },
  }
}

/** The least of those that a run's items may take, whichever of them runs next; Infinity where none has one. */
const shortestLimit = ({ order }: Run): number =>
  order.timeoutsMs.reduce<number>((least, limit) => Math.min(least, limit ?? Infinity), Infinity)

/** For how long nothing of a run can be due: what runs, what may run next, and what waits. */
function leftMs(run: Run, at: number): number {
  if (run.stop || run.unanswered === 0) return Infinity
  const { count, timeoutsMs } = run.order
  const { index, startedAt } = run.begun ? runningItem(run) : { index: -1, startedAt: 0 }
  const runs = index >= 0 && startedAt > 0 && run.answered[index] === false
  const ranMs = runs ? at - startedAt : 0
  const limit = runs ? (ofItem(timeoutsMs, index) ?? Infinity) : Infinity
  const hostage = run.unanswered > 1 ? HOSTAGE_MS : Infinity
  const next = runs && count === 1 ? Infinity : shortestLimit(run)
  const behind = isWaiting(run) ? NEXT_MS - (at - run.startedAt) : Infinity
  const left = Math.min(limit - ranMs, hostage - ranMs, next, behind)
  return left < 0 ? OVERDUE_MS : left + 1
}
