/**
 * The threads of one worker.
 *
 * The caller books: it never gives more work than there are free threads, so nothing waits here. An
 * order takes all of its threads at once and gives them back when its last item has been answered for,
 * however that came about. A thread that has to be ended leaves its seat at once; the next order starts
 * a new one there, even while native code keeps the old one from ending.
 */
import { asAnswer, createRun, outcomeOf, resultOf, type Run, type Seat, type Stop } from './run.ts'
import { runGang } from './run-gang.ts'
import type { FromThread, ItemAnswer } from './messages.ts'
import { startThread, ThreadEnded, type Thread } from './thread.ts'
import type { Worker, WorkerEvents, WorkOrder, WorkResult } from './worker.ts'

/** How often time limits are looked at. */
const WATCH_MS = 20
/** An item that runs for longer than this holds those behind it in its batch hostage: they are handed back. */
const HOSTAGE_MS = 50
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

const now = (): number => performance.timeOrigin + performance.now()

export function createPool(options: PoolOptions, events: WorkerEvents): Worker {
  const { name, threads, graceMs } = options
  const seats: Seat[] = Array.from({ length: threads }, (_, index) => ({
    index,
    thread: null,
    run: null,
  }))
  const runs = new Map<number, Run>()
  let watch: NodeJS.Timeout | undefined
  let closed = false

  const onMessage = (message: FromThread): void => {
    const run = runs.get(message.run)
    if (!run) return
    if (message.heddle === 'items') run.onItems(message.answers)
    else {
      run.fractions[message.chunk] = message.fraction
      const sum = run.fractions.reduce((total, fraction) => total + fraction, 0)
      const fraction = run.order.width === 1 ? message.fraction : sum / run.fractions.length
      events.progress([{ jobId: message.jobId, fraction }])
    }
  }

  const threadOf = (seat: Seat): Thread => {
    if (!seat.thread || seat.thread.ended) {
      seat.thread = startThread({
        name: `${name}-${seat.index + 1}`,
        modules: options.modules,
        maxResultBytes: options.maxResultBytes ?? DEFAULT_MAX_RESULT_BYTES,
        ...(options.maxOldGenerationSizeMb === undefined
          ? {}
          : { maxOldGenerationSizeMb: options.maxOldGenerationSizeMb }),
        onMessage,
      })
    }
    return seat.thread
  }

  /** Results for items that will not run: they go back to the queue. */
  const givenBack = (run: Run, from: number): WorkResult[] => {
    const at = now()
    const results: WorkResult[] = []
    for (let index = from; index < run.order.items.length; index += 1) {
      if (run.answered.has(index)) continue
      run.answered.add(index)
      // One that was to stop before its thread had come to it ends as it would have a moment later.
      const stopped = run.stop?.index === index && run.stop.reason === 'cancel'
      const outcome = { kind: stopped ? ('cancelled' as const) : ('interrupted' as const) }
      results.push(resultOf(run, index, outcome, { startedAt: at, finishedAt: at }))
    }
    return results
  }

  /** While the run goes on one item stays unanswered: with the last answer its threads count as free. */
  const handBack = (run: Run, from: number): void => {
    let first = 0
    while (run.answered.has(first)) first += 1
    const results = givenBack(run, Math.max(from, first + 1))
    if (results.length > 0) events.finished(results)
  }

  const resultsOf = (run: Run, answers: ItemAnswer[]): WorkResult[] =>
    answers.flatMap(({ index, answer, startedAt, finishedAt }) => {
      if (run.answered.has(index)) return []
      run.answered.add(index)
      return [resultOf(run, index, outcomeOf(run, index, answer), { startedAt, finishedAt })]
    })

  /** What had not been told when the run ended. */
  const runItems = async (run: Run, thread: Thread): Promise<WorkResult[]> => {
    run.onItems = (answers) => events.finished(resultsOf(run, answers))
    thread.resetItems()
    const results: WorkResult[] = []
    try {
      const call = thread.call((api) => api.runItems(run.id, run.order.items))
      results.push(...resultsOf(run, await Promise.race([call, run.givenUp])))
    } catch (thrown) {
      const { index, startedAt } = thread.runningItem()
      const fatal = Math.max(0, index)
      if (!run.answered.has(fatal)) {
        run.answered.add(fatal)
        const outcome = outcomeOf(run, fatal, asAnswer(thrown))
        const times = { startedAt: startedAt || run.startedAt, finishedAt: now() }
        results.push(resultOf(run, fatal, outcome, times))
      }
    }
    // Behind a fatal item nothing ran; before it, results that had not been sent are gone with the thread.
    return [...results, ...givenBack(run, 0)]
  }

  const runOrder = async (run: Run, seat: Seat): Promise<WorkResult[]> => {
    if (run.order.width === 1) return runItems(run, threadOf(seat))
    const outcome = await runGang(run, { threadOf, stopOthers: endSoon })
    if (run.answered.has(0)) return []
    run.answered.add(0)
    return [resultOf(run, 0, outcome, { startedAt: run.startedAt, finishedAt: now() })]
  }

  const release = (run: Run): void => {
    runs.delete(run.id)
    for (const seat of run.seats) if (seat.run === run) seat.run = null
    if (runs.size > 0) return
    clearInterval(watch)
    watch = undefined
  }

  /** Asks first; who has not stopped after the grace period is ended. */
  function endSoon(run: Run): void {
    for (const { thread } of run.seats) thread?.abort(run.id)
    setTimeout(() => {
      if (runs.has(run.id)) endThreads(run)
    }, graceMs)
  }

  const endThreads = (run: Run): void => {
    const ending = run.seats.flatMap((seat) => {
      const { thread } = seat
      seat.thread = null
      return thread ? [thread.terminate()] : []
    })
    const stuck = setTimeout(() => {
      events.trouble(`${name}: a thread is stuck in native code and will end later`)
      run.giveUp(
        new ThreadEnded({
          name: 'ThreadExitError',
          message: 'The thread was ended',
          code: 'THREAD_EXIT',
        }),
      )
    }, STUCK_MS)
    void Promise.all(ending).then(() => clearTimeout(stuck))
  }

  const stop = (run: Run, index: number, reason: Stop): void => {
    if (run.stop) return
    run.stop = { index, reason }
    if (run.order.width === 1) handBack(run, run.seats[0]?.thread?.endItems() ?? 1)
    endSoon(run)
  }

  const look = (): void => {
    const at = now()
    for (const run of runs.values()) {
      const item = run.seats[0]?.thread?.runningItem() ?? { index: -1, startedAt: 0 }
      const index = run.order.width === 1 ? item.index : 0
      const startedAt = run.order.width === 1 ? item.startedAt : run.startedAt
      if (index < 0 || startedAt === 0 || run.answered.has(index)) continue
      const ranMs = at - startedAt
      const limit = run.order.items[index]?.timeoutMs ?? null
      if (limit !== null && ranMs > limit) stop(run, index, 'timeout')
      else if (ranMs > HOSTAGE_MS && index + 1 < run.order.items.length) {
        handBack(run, run.seats[0]?.thread?.endItems() ?? index + 1)
      }
    }
  }

  const start = (order: WorkOrder): void => {
    const free = seats.filter((seat) => seat.run === null).slice(0, order.width)
    if (free.length < order.width) {
      throw new Error(`${name} was given ${order.width} threads of work with ${free.length} free`)
    }
    const run = createRun(order, free, now())
    for (const seat of free) seat.run = run
    runs.set(run.id, run)
    watch ??= setInterval(look, WATCH_MS)
    const [seat] = free
    if (!seat) return
    void runOrder(run, seat).then((results) => {
      release(run)
      if (results.length > 0) events.finished(results)
    })
  }

  return {
    name,
    threads,
    run(orders) {
      for (const order of orders) start(order)
    },
    cancel(jobIds) {
      const wanted = new Set(jobIds)
      for (const run of runs.values()) {
        const index = run.order.items.findIndex(({ jobId }) => wanted.has(jobId))
        if (index < 0 || run.answered.has(index)) continue
        const running = run.order.width > 1 || run.seats[0]?.thread?.runningItem().index === index
        // One that has not started in its batch is handed back, and ends as cancelled where it is settled.
        if (running || run.order.items.length === 1) stop(run, index, 'cancel')
        else handBack(run, run.seats[0]?.thread?.endItems() ?? index)
      }
    },
    // In one process with the scheduler, which watches the lease itself.
    extendLease: () => {},
    busy: () => seats.map((seat) => currentJob(seat)),
    async close() {
      if (closed) return
      closed = true
      const results = [...runs.values()].flatMap((run) => givenBack(run, 0))
      if (results.length > 0) events.finished(results)
      const ending = seats.flatMap(({ thread }) => (thread ? [thread.terminate()] : []))
      const patience = new Promise((resolve) => setTimeout(resolve, STUCK_MS).unref())
      await Promise.race([Promise.all(ending), patience])
      clearInterval(watch)
    },
  }
}

function currentJob({ run, thread }: Seat): string | null {
  if (!run) return null
  const index = run.order.width === 1 ? (thread?.runningItem().index ?? 0) : 0
  return run.order.items[Math.max(0, index)]?.jobId ?? null
}
