/**
 * Runs whose threads are not there yet. A thread takes a fifth of a second of CPU to start: it starts when a run
 * has waited for it, and a run waits for whichever thread is there first, one that starts or one that has become
 * free. So a burst of small jobs runs on the threads there are, and on two cores a dozen do not start for it.
 */
import { availableParallelism } from 'node:os'
import { now, type Run, type Seat } from './run.ts'

/** Small jobs have given their thread back by then; of the start of a thread it is a twentieth. */
const PATIENCE_MS = 10
/** To start is work for a core: of more at once each would be there later. */
const MAX_STARTING = availableParallelism()

export interface StartingOptions {
  seats: readonly Seat[]
  startThread(seat: Seat): void
  begin(run: Run): void
}

export interface Starting {
  /** begins it, now or when its threads are there */
  take(run: Run): void
  /** It is not to begin: it has been answered for. */
  remove(run: Run): void
  /** a thread has become free or ready, or has ended: begins what can begin */
  look(): void
}

export const isReady = ({ thread }: Seat): boolean => thread?.isReady === true

const isStarting = ({ thread }: Seat): boolean =>
  thread !== null && !thread.isReady && !thread.ended

/** What comes next on a thread does not begin before the run it is behind. */
const isBehind = (run: Run): boolean =>
  run.seats.some((seat) => seat.run !== run && seat.run?.begun === false)

export function createStarting({ seats, startThread, begin }: StartingOptions): Starting {
  // In the order they came.
  const waiting = new Set<Run>()
  let patience: NodeJS.Timeout | undefined

  /** A gang needs all of its threads, and where there is none nothing can become free. */
  const needsThread = (run: Run): boolean =>
    run.seats.length > 1 ||
    now() - run.startedAt >= PATIENCE_MS ||
    seats.every(({ thread }) => thread === null)

  const startThreads = (): void => {
    let room = MAX_STARTING - seats.filter(isStarting).length
    for (const run of waiting) {
      if (!needsThread(run)) continue
      for (const seat of run.seats) {
        if (seat.thread || room <= 0) continue
        startThread(seat)
        room -= 1
      }
    }
  }

  /** No thread knows of a run on this seat: neither one that has begun, nor one that it is to pass over. */
  const isUntouched = ({ lanes }: Seat): boolean => !lanes.some((run) => run?.begun)

  const isSpare = (seat: Seat): boolean => seat.run === null && isReady(seat) && isUntouched(seat)

  /** Trades what there is on the seat, a thread that starts or none, for a thread that is free. */
  const trade = (seat: Seat): void => {
    const spare = isUntouched(seat) ? seats.find(isSpare) : undefined
    if (spare) [seat.thread, spare.thread] = [spare.thread, seat.thread]
  }

  const rest = (): void => {
    if (waiting.size > 0) return
    clearInterval(patience)
    patience = undefined
  }

  const look = (): void => {
    if (waiting.size === 0) return
    for (const run of waiting) {
      if (isBehind(run)) continue
      for (const seat of run.seats) if (!isReady(seat)) trade(seat)
      // Of a thread that could not start, the run hears why.
      if (!run.seats.every((seat) => isReady(seat) || seat.thread?.ended === true)) continue
      waiting.delete(run)
      begin(run)
    }
    startThreads()
    rest()
  }

  return {
    take(run) {
      if (run.seats.every(isReady) && !isBehind(run)) {
        begin(run)
        return
      }
      waiting.add(run)
      // One that has ended is none that could not start.
      for (const seat of run.seats) if (seat.thread?.ended) seat.thread = null
      startThreads()
      patience ??= setInterval(startThreads, PATIENCE_MS)
    },
    remove(run) {
      waiting.delete(run)
      rest()
    },
    look,
  }
}
