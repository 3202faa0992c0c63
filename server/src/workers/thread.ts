/**
 * One thread, from its start to its end. A call in threads.js whose thread ends never settles, so every
 * call here is raced against the end, and the end says why it came.
 */
import type { ModuleThread } from 'threads'
import type { JobError } from '../core/job.ts'
import { CLOCK_WORD, CONTROL, CONTROL_BYTES, LANES, LANE_WORDS } from './messages.ts'
import type { FromThread, Lane, RunMessage, ThreadApi, ThreadData, ToThread } from './messages.ts'
import type { ItemAnswers } from './packing.ts'
import { NativeThread } from './native-thread.ts'
import { spawn } from './threads-library.ts'

const SPAWN_MS = 30_000

export class ThreadEnded extends Error {
  override name = 'ThreadEnded'
  readonly jobError: JobError
  constructor(jobError: JobError) {
    super(jobError.message)
    this.jobError = jobError
  }
}

export interface ThreadOptions {
  name: string
  modules: string[]
  maxResultBytes: number
  maxOldGenerationSizeMb?: number
  /** where it notes what it has not sent: see `unsent-answers.js` */
  unsent: SharedArrayBuffer
  onMessage(message: FromThread): void
}

/** Hears what was not sent ahead, or that the thread has ended without. */
type EndOfItems = (told: ItemAnswers | ThreadEnded) => void

export interface Thread {
  /** Rejects with ThreadEnded if the thread ends first, with another error if the message could not be carried. */
  call<T>(work: (api: ModuleThread<ThreadApi>) => Promise<T>): Promise<T>
  /**
   * Items after each other. `tell` is called once, and never before this returns: a promise, and what waited for
   * it, took a tenth of the dispatch of a small job. Payloads in bytes are gone from here with it.
   */
  runItems(message: RunMessage, tell: EndOfItems): void
  /** the shared flag and a message: seen in a busy loop, and by whoever waits */
  abort(run: number, lane: Lane): void
  /** before a run is given to it: none of its items runs yet */
  reset(lane: Lane): void
  /** the item of a run that runs, or last ran, and when it started (epoch ms) */
  runningItem(lane: Lane): { index: number; startedAt: number }
  /** No item from the next one on will be started; tells the index from which on that is certain. */
  endItems(lane: Lane): number
  /** ends it; resolves when it has really ended, which native code can delay by seconds */
  terminate(): Promise<void>
  /** resolves when it is ready, or has ended instead */
  readonly started: Promise<void>
  /** what it is told reaches it at once; false again when it has ended */
  readonly isReady: boolean
  readonly ended: boolean
}

const describeEnd = (code: number, error: (Error & { code?: string }) | undefined): JobError => {
  if (error?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return {
      name: 'OutOfMemoryError',
      message: 'The thread ran out of memory',
      code: 'OUT_OF_MEMORY',
    }
  }
  if (error instanceof Error) {
    const stack = error.stack === undefined ? {} : { stack: error.stack.slice(0, 16_384) }
    return { name: error.name, message: error.message.slice(0, 16_384), ...stack, code: 'UNCAUGHT' }
  }
  if (error !== undefined) {
    return { name: 'NonError', message: String(error).slice(0, 16_384), code: 'UNCAUGHT' }
  }
  return {
    name: 'ThreadExitError',
    message: `The thread ended with exit code ${code}`,
    code: 'THREAD_EXIT',
  }
}

/** Starts at once; calls wait until it is ready. */
export function startThread(options: ThreadOptions): Thread {
  const control = new SharedArrayBuffer(CONTROL_BYTES)
  const flags = new Int32Array(control)
  const clocks = new Float64Array(control)
  const place = (lane: Lane, of: keyof typeof CONTROL): number => lane * LANE_WORDS + CONTROL[of]
  const clockOf = (lane: Lane): number => (lane * LANE_WORDS + CLOCK_WORD) / 2
  const workerData: ThreadData = {
    control,
    unsent: options.unsent,
    modules: options.modules,
    maxResultBytes: options.maxResultBytes,
  }
  const native = new NativeThread(new URL('./thread-entry.js', import.meta.url), {
    name: options.name,
    workerData,
    // Stacks name the lines of the source, not of what was made of it. Other flags of the process (a
    // TypeScript loader, in development) are not for threads.
    execArgv: ['--enable-source-maps'],
    resourceLimits:
      options.maxOldGenerationSizeMb === undefined
        ? {}
        : { maxOldGenerationSizeMb: options.maxOldGenerationSizeMb },
  })
  let ended = false
  let lastError: (Error & { code?: string }) | undefined
  const waiting = new Set<(error: ThreadEnded) => void>()
  /** by lane */
  const running = Array.from(
    { length: LANES },
    (): { run: number; tell: EndOfItems } | null => null,
  )
  let end = new ThreadEnded({ name: 'ThreadExitError', message: 'The thread has ended' })

  // Without this listener an error that ends the thread would end the whole process.
  native.on('error', (error) => (lastError = error))
  native.on('message', (message: unknown) => {
    if (typeof message !== 'object' || message === null || !('heddle' in message)) return
    const told = message as FromThread
    if (told.heddle === 'items' && told.last) {
      const lane = running.findIndex((items) => items?.run === told.run)
      const items = running[lane]
      if (!items) return
      running[lane] = null
      items.tell(told.answers)
    } else options.onMessage(told)
  })
  const gone = new Promise<void>((resolve) => {
    native.once('exit', (code) => {
      ended = true
      end = new ThreadEnded(describeEnd(code, lastError))
      for (const reject of waiting) reject(end)
      waiting.clear()
      for (const items of running.splice(0)) items?.tell(end)
      resolve()
    })
  })
  let isReady = false
  const ready = spawn<ThreadApi>(native, { timeout: SPAWN_MS })
  const started = ready.then(
    () => void (isReady = true),
    async () => {
      await native.terminate()
      await gone
    },
  )

  return {
    call(work) {
      return new Promise((resolve, reject) => {
        if (ended) {
          reject(end)
          return
        }
        waiting.add(reject)
        ready
          .then((api) => work(api))
          .then(resolve, reject)
          .finally(() => waiting.delete(reject))
      })
    },
    runItems(message, tell) {
      if (ended) {
        queueMicrotask(() => tell(end))
        return
      }
      running[message.lane] = { run: message.run, tell }
      const { payloads } = message
      // A list of what moves is walked by its iterator, also where it is empty: 1 µs.
      if (typeof payloads === 'string') native.postMessage(message)
      else native.postMessage(message, [payloads])
    },
    abort(run, lane) {
      Atomics.store(flags, place(lane, 'cancelled'), 1)
      if (!ended) native.postMessage({ heddle: 'abort', run } satisfies ToThread)
    },
    reset(lane) {
      Atomics.store(flags, place(lane, 'cancelled'), 0)
      Atomics.store(flags, place(lane, 'item'), -1)
      Atomics.store(flags, place(lane, 'end'), 0x7fffffff)
      clocks[clockOf(lane)] = 0
    },
    runningItem: (lane) => ({
      index: Atomics.load(flags, place(lane, 'item')),
      startedAt: clocks[clockOf(lane)] ?? 0,
    }),
    endItems(lane) {
      // The thread says which item it is at and then looks at the end; here it is the other way round. So
      // either it sees this end, or this sees that it had moved on.
      for (;;) {
        const item = Atomics.load(flags, place(lane, 'item'))
        Atomics.store(flags, place(lane, 'end'), item + 1)
        if (Atomics.load(flags, place(lane, 'item')) <= item) return item + 1
      }
    },
    async terminate() {
      if (!ended) void native.terminate()
      await gone
    },
    started: Promise.race([started, gone]),
    get isReady() {
      return isReady && !ended
    },
    get ended() {
      return ended
    },
  }
}
