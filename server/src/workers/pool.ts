/**
 * The threads of one worker.
 *
 * The caller books: it never gives more work than there are free threads, so nothing waits here. An
 * order takes all of its threads at once and gives them back when its last item has been answered for,
 * however that came about. A thread that has to be ended leaves its seat at once; the next order starts
 * a new one there, even while native code keeps the old one from ending.
 */
import type { FromThread } from './messages.ts'
import { splitIds, type PackedOrder } from './packing.ts'
import { createRun, givenBack, now, type Run, type Seat, type Stop } from './run.ts'
import { runGangs } from './run-gang.ts'
import { endItems, isWaiting, lastStarted, runItems, takeUnsent } from './run-items.ts'
import { createSeat, currentJob, freeLane, hasRuns, isOpen, leaveSeats, openRuns } from './seats.ts'
import { createStarting, isReady } from './starting.ts'
import { startThread, ThreadEnded } from './thread.ts'
import { createWatch } from './watch.ts'
import type { Worker, WorkerEvents, WorkResult } from './worker.ts'

/** A thread that has not ended this long after it was told to is left to end by itself. */
const STUCK_MS = 500
const DEFAULT_MAX_RESULT_BYTES = 64 * 1024 * 1024

export interface PoolOptions {
  name: string
  threads: number
  /** addresses of the job types' modules */
  modules: string[]
  /** between the wish that a job stops and the end of its thread */
  graceMs: number
  /** of each thread's heap; a help, not a wall */
  maxOldGenerationSizeMb?: number
  /** characters of JSON */
  maxResultBytes?: number
}

/** A worker that takes orders as they travel. */
export interface Pool extends Omit<Worker, 'run'> {
  /** throws if the order is wider than the threads not in use */
  run(orders: PackedOrder[]): void
}

export function createPool(options: PoolOptions, events: WorkerEvents): Pool {
  const { name, threads, graceMs } = options
  const seats = Array.from({ length: threads }, (_, index) => createSeat(index))
  let closed = false

  const onMessage = (message: FromThread): void => {
    const run = openRuns(seats).find(({ id }) => id === message.run)
    if (!run) return
    if (message.heddle === 'items') run.onItems(message.answers)
    else {
      run.fractions[message.chunk] = message.fraction
      const sum = run.fractions.reduce((total, fraction) => total + fraction, 0)
      const fraction = run.order.width === 1 ? message.fraction : sum / run.fractions.length
      events.progress([{ jobId: message.jobId, fraction }])
    }
  }

  const startSeat = (seat: Seat): void => {
    const thread = startThread({
      name: `${name}-${seat.index + 1}`,
      modules: options.modules,
      maxResultBytes: options.maxResultBytes ?? DEFAULT_MAX_RESULT_BYTES,
      ...(options.maxOldGenerationSizeMb === undefined
        ? {}
        : { maxOldGenerationSizeMb: options.maxOldGenerationSizeMb }),
      unsent: seat.unsent,
      onMessage,
    })
    seat.thread = thread
    void thread.started.then(starting.look)
  }

  /**
   * All that has not started. While the run goes on one item stays unanswered: with the last answer its threads
   * count as free.
   */
  const handBack = (run: Run): void => {
    if (!run.begun) {
      dismiss(run)
      return
    }
    const from = endItems(run)
    let first = 0
    while (run.answered[first]) first += 1
    const waits = isWaiting(run)
    const results = givenBack(run, waits ? from : Math.max(from, first + 1))
    // All of it is answered, and its thread will pass it over: the seat is free for others meanwhile. It may
    // hold the seat already, where its thread has ended the run before and not yet come to this one.
    if (waits) leaveSeats(run)
    if (results.length > 0) events.finished(results)
  }

  const release = (run: Run): void => {
    for (const { lanes } of run.seats) lanes[run.lane] = null
    leaveSeats(run)
    starting.look()
    if (!seats.some(hasRuns)) watch.rest()
  }

  const begin = (run: Run): void => {
    const threads = run.seats.map(({ thread }) => {
      if (thread) return thread
      throw new Error(`order ${run.order.id} was to begin without a thread`)
    })
    run.begun = true
    run.startedAt = now()
    const end = (results: WorkResult[]): void => {
      release(run)
      if (results.length > 0) events.finished(results)
    }
    const [first] = threads
    if (first && run.order.width === 1) {
      runItems(run, first, events.finished, end)
      return
    }
    void runGangs(run, threads, { tell: events.finished, stopOthers: endSoon }).then(end)
  }

  const starting = createStarting({ seats, startThread: startSeat, begin })

  /** For one that has not begun: no thread will answer for it. */
  const dismiss = (run: Run): void => {
    const results = givenBack(run, 0)
    starting.remove(run)
    release(run)
    events.finished(results)
  }

  /** Asks first; who has not stopped after the grace period is ended. */
  function endSoon(run: Run): void {
    for (const { thread } of run.seats) thread?.abort(run.id, run.lane)
    setTimeout(() => {
      if (isOpen(run)) endThreads(run)
    }, graceMs)
  }

  const endThreads = (run: Run): void => {
    const ending = run.seats.flatMap((seat) => {
      const { thread } = seat
      seat.thread = null
      return thread ? [thread.terminate()] : []
    })
    const behind = run.seats.flatMap(({ next }) => next ?? [])
    const stuck = setTimeout(() => {
      events.trouble(`${name}: a thread is stuck in native code and will end later`)
      const ended = new ThreadEnded({
        name: 'ThreadExitError',
        message: 'The thread was ended',
        code: 'THREAD_EXIT',
      })
      for (const each of [run, ...behind]) each.giveUp(ended)
    }, STUCK_MS)
    void Promise.all(ending).then(() => clearTimeout(stuck))
  }

  const stop = (run: Run, index: number, reason: Stop): void => {
    if (run.stop) return
    run.stop = { index, reason }
    handBack(run)
    endSoon(run)
  }

  const watch = createWatch({ runs: () => openRuns(seats), stop, handBack })

  const take = (run: Run): void => {
    for (const { lanes } of run.seats) lanes[run.lane] = run
    starting.take(run)
    if (isOpen(run)) watch.take(run)
  }

  /** Its thread begins with it by itself: a message at the end of the run before would come late on a busy machine. */
  const startBehind = (order: PackedOrder, seat: Seat): void => {
    const lane = freeLane([seat])
    if (lane === undefined || seat.next) {
      events.finished(refused(order))
      return
    }
    seat.next = createRun(order, [seat], { lane, ahead: true })
    take(seat.next)
  }

  const start = (order: PackedOrder): void => {
    const free = seats
      .filter(({ run }) => run === null)
      .sort((one, other) => Number(isReady(other)) - Number(isReady(one)))
      .slice(0, order.width)
    if (free.length < order.width) {
      throw new Error(`${name} was given ${order.width} threads of work with ${free.length} free`)
    }
    const lane = freeLane(free)
    if (lane === undefined) {
      events.finished(refused(order))
      return
    }
    const run = createRun(order, free, { lane, ahead: false })
    for (const each of free) each.run = run
    take(run)
  }

  /** The thread that is at work on an order. */
  const seatOf = (orderId: number): Seat | undefined =>
    seats.find(({ run }) => run?.order.id === orderId)

  return {
    name,
    threads,
    run(orders) {
      for (const order of orders) {
        const seat = order.behind === null ? undefined : seatOf(order.behind)
        if (seat) startBehind(order, seat)
        else if (order.behind === null || seats.some(({ run }) => run === null)) start(order)
        else events.finished(refused(order))
      }
    },
    recall(jobIds) {
      const wanted = new Set(jobIds)
      for (const run of openRuns(seats)) {
        if (isWaiting(run) && splitIds(run.order).some((id) => wanted.has(id))) handBack(run)
      }
    },
    cancel(jobIds) {
      const wanted = new Set(jobIds)
      for (const run of openRuns(seats)) {
        const places = splitIds(run.order).flatMap((jobId, place) =>
          wanted.has(jobId) && !run.answered[place] ? [place] : [],
        )
        const [first] = places
        if (first === undefined) continue
        if (!run.begun) {
          run.stop = { index: first, reason: 'cancel' }
          dismiss(run)
          continue
        }
        const last = lastStarted(run)
        const alone = run.order.count === 1 && !isWaiting(run)
        // What has not started is handed back, and ends as cancelled where it is settled.
        if (places.includes(last)) stop(run, last, 'cancel')
        else if (alone) stop(run, first, 'cancel')
        else handBack(run)
      }
    },
    warm() {
      const [first] = seats
      if (first && seats.every(({ thread }) => thread === null)) startSeat(first)
    },
    // In one process with the scheduler, which watches the lease itself.
    extendLease: () => {},
    busy: () => seats.map((seat) => currentJob(seat)),
    async close() {
      if (closed) return
      closed = true
      const left = openRuns(seats)
      const results = left.flatMap((run) => [...takeUnsent(run), ...givenBack(run, 0)])
      for (const run of left) starting.remove(run)
      if (results.length > 0) events.finished(results)
      const ending = seats.flatMap(({ thread }) => (thread ? [thread.terminate()] : []))
      const patience = new Promise((resolve) => setTimeout(resolve, STUCK_MS).unref())
      await Promise.race([Promise.all(ending), patience])
      watch.rest()
    },
  }
}

/** Goes back to the queue: no thread can take it now. */
const refused = ({ id, count }: PackedOrder): WorkResult[] =>
  Array.from({ length: count }, (_, place) => ({
    order: id,
    place,
    outcome: { kind: 'interrupted' },
    startedAt: now(),
    finishedAt: now(),
  }))
