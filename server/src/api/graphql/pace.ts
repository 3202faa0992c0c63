import { performance } from 'node:perf_hooks'

/**
 * Lets those who watch have their news one after the other, in a share of the event loop's time and what it would
 * idle. A message takes 100 µs and more, and tiny jobs change tens of thousands of times a second: told as fast as it
 * is read, one open dashboard slowed the queue to a third, and ten to a twentieth.
 *
 * What a turn costs is measured, with all that its reader does at once with what it is told: that depends on the
 * query, on the machine, and on how many jobs a message has.
 */
export type Pace = (turn: () => void) => void

/** Of an event loop, in ms: since some moment, and what of it passed with nothing to do. */
export interface LoopTimes {
  all: number
  idle: number
}

/** Of the event loop's time; what it would idle comes on top. */
const SHARE = 0.25
/** What may be spent at once after a rest. */
const BURST_MS = 20
/** After so many the event loop sees to others first. */
const TURNS = 16

const timesOfThread = (): LoopTimes => ({
  all: performance.now(),
  idle: performance.eventLoopUtilization().idle,
})

/** Turns are had in the order they were asked for. */
export function createPace(times: () => LoopTimes = timesOfThread): Pace {
  const waiting: (() => void)[] = []
  let scheduled = false
  let allowanceMs = BURST_MS
  let counted = times()
  /** since when a turn is being had */
  let turnAt: number | null = null

  const count = (): void => {
    const now = times()
    const earned = (now.all - counted.all) * SHARE + now.idle - counted.idle
    const spent = turnAt === null ? 0 : now.all - turnAt
    allowanceMs = Math.min(BURST_MS, allowanceMs + earned) - spent
    counted = now
    turnAt = null
  }

  const serve = (): void => {
    count()
    const turn = allowanceMs > 0 ? waiting.shift() : undefined
    if (!turn) return
    turnAt = counted.all
    turn()
  }

  const schedule = (turns: number): void => {
    scheduled = true
    // A callback for each: what a reader does with its news, and asking for more, happens before the next one.
    for (let left = turns; left > 0; left -= 1) setImmediate(serve)
    setImmediate(rest)
  }

  const rest = (): void => {
    count()
    if (waiting.length === 0) scheduled = false
    else if (allowanceMs > 0) schedule(TURNS)
    else setTimeout(schedule, Math.ceil(-allowanceMs / SHARE), TURNS).unref()
  }

  return (turn) => {
    waiting.push(turn)
    if (!scheduled) schedule(1)
  }
}
