// Runs inside every thread. Plain JavaScript on purpose: Node 20 cannot load a TypeScript file as a
// thread, so this same file serves development, tests and the built server.
import { TextDecoder } from 'node:util'
import { parentPort, workerData } from 'node:worker_threads'
import { expose } from 'threads/worker'
import { UnsentAnswers } from './unsent-answers.js'

/**
 * @typedef {import('./packing.ts').Failure} Failure
 * @typedef {import('./packing.ts').ItemAnswers} ItemAnswers
 * @typedef {import('./messages.ts').RunMessage} RunMessage
 * @typedef {import('./messages.ts').CallContext} CallContext
 * @typedef {import('../job-types/job-type.ts').JobType} JobType
 * @typedef {import('../job-types/job-type.ts').JobContext} JobContext
 */

// threads.js swallows uncaught errors: the thread would live on and its caller wait for ever. Without its
// listeners Node ends the thread, and the owner hears of the true error.
for (const event of ['uncaughtException', 'unhandledRejection']) process.removeAllListeners(event)

/**
 * Results that are ready wait this long for the batch to end, so that a crash of the process loses little; a batch
 * that was expected to take 50 ms sends them once. While a job runs that keeps the thread busy for longer, its pool
 * reads them from shared memory. Each time they are sent costs the server and the database 1 ms of CPU: at 20 ms it
 * was a tenth of jobs of 10 ms.
 */
const SEND_AHEAD_MS = 75
const PROGRESS_MS = 100
/** Up to so many times are sent as a list: for one job a buffer of its own took a tenth of the dispatch. */
const FEW = 32
const MAX_TEXT = 16_384
const MAX_ISSUES = 20

const {
  control,
  modules,
  maxResultBytes,
  unsent: memory,
} = /** @type {import('./messages.ts').ThreadData} */ (workerData)
const unsent = new UnsentAnswers(memory)
// messages.ts has the layout; a thread cannot import TypeScript.
const flags = new Int32Array(control)
const clocks = new Float64Array(control)
const LANE_WORDS = 6
const CANCELLED = 0
const ITEM = 1
const END = 2
const CLOCK_WORD = 4

/** @type {Map<string, JobType>} */
const types = new Map()
for (const address of modules) {
  const module = await import(address)
  for (const type of [module.default].flat()) types.set(type.type, type)
}

/**
 * Of the run at work, once one of its jobs has asked for it: to make one takes longer than a tiny job.
 *
 * @type {AbortController | null}
 */
let aborter = null
let currentRun = 0
/** @type {unknown} */
let payloadInMerge

parentPort?.on('message', (/** @type {import('./messages.ts').ToThread} */ message) => {
  if (message?.heddle === 'run') {
    waiting.push(message)
    void work()
  } else if (message?.heddle === 'abort' && message.run === currentRun) {
    aborter?.abort(cancelledError())
  }
})

/** @param {import('./messages.ts').FromThread} message */
const tell = (message) => parentPort?.postMessage(message)
// A getter of the platform, with checks of its own.
const { timeOrigin } = performance
const now = () => timeOrigin + performance.now()
const cancelledError = () =>
  Object.assign(new Error('The job was told to stop'), { name: 'AbortError' })

/** @param {unknown} text */
const clip = (text) => String(text).slice(0, MAX_TEXT)

/** What is wrong with a payload, for the job's record. */
class InvalidPayloadError extends Error {
  /** @override */
  name = 'InvalidPayloadError'
  code = 'INVALID_PAYLOAD'
  retryable = false
}

/** @param {unknown} thrown @returns {Failure} */
function failure(thrown) {
  if (!(thrown instanceof Error)) {
    return { ok: false, error: { name: 'NonError', message: clip(thrown) } }
  }
  const { name, message, stack } = thrown
  const { code, retryable } = /** @type {{ code?: unknown, retryable?: unknown }} */ (thrown)
  return {
    ok: false,
    ...(retryable === false ? { final: true } : {}),
    error: {
      name: clip(name),
      message: clip(message),
      ...(stack ? { stack: clip(stack) } : {}),
      ...(typeof code === 'string' || typeof code === 'number' ? { code: clip(code) } : {}),
    },
  }
}

/** @param {string} type */
function find(type) {
  const found = types.get(type)
  if (!found) throw new Error(`this worker has no job type "${type}"`)
  return found
}

/** @param {number} run */
function begin(run) {
  if (run === currentRun) return
  currentRun = run
  aborter = null
}

/** Those of a run, taken apart when one of its jobs asks for its own: most tiny ones do not. */
class JobIds {
  #text
  /** @type {string[] | undefined} */
  #list

  /** @param {string} text see `splitIds` in packing.ts */
  constructor(text) {
    this.#text = text
  }

  /** @param {number} index */
  at(index) {
    this.#list ??= this.#text.split(',')
    return this.#list[index] ?? ''
  }
}

/** What a job sees of its run. @implements {JobContext} */
class Context {
  #run
  #lane
  #ids
  #index
  #chunk
  #toldAt = -Infinity

  /**
   * @param {Omit<CallContext, 'jobId'>} call
   * @param {JobIds} ids
   * @param {number} index its own
   */
  constructor({ run, lane, attempt, width, chunk }, ids, index) {
    this.#run = run
    this.#lane = lane * LANE_WORDS
    this.#ids = ids
    this.#index = index
    this.#chunk = chunk
    this.attempt = attempt
    this.width = width
  }

  get jobId() {
    return this.#ids.at(this.#index)
  }

  get signal() {
    aborter ??= new AbortController()
    // It may have been told before anybody asked.
    if (this.#run === currentRun && this.cancelled) aborter.abort(cancelledError())
    return aborter.signal
  }

  get cancelled() {
    return Atomics.load(flags, this.#lane + CANCELLED) === 1
  }

  // Fields, so that a job may take them out of its context and call them alone.
  throwIfCancelled = () => {
    if (this.cancelled) throw cancelledError()
  }

  /** @param {number} fraction */
  progress = (fraction) => {
    const at = performance.now()
    if (at - this.#toldAt < PROGRESS_MS && fraction < 1) return
    this.#toldAt = at
    tell({
      heddle: 'progress',
      run: this.#run,
      jobId: this.jobId,
      chunk: this.#chunk,
      fraction: Math.min(1, Math.max(0, Number(fraction) || 0)),
    })
  }
}

/** @param {unknown} result */
function toJson(result) {
  const text = JSON.stringify(result ?? null) ?? 'null'
  if (text.length <= maxResultBytes) return text
  throw new RangeError(
    `The result has ${text.length} characters of JSON, and ${maxResultBytes} are allowed`,
  )
}

/**
 * Parsed here although the API has checked it: a job may have come through SQL, or from before the type
 * was changed, and what zod makes of it (dates, defaults) need not survive JSON.
 *
 * @param {JobType} type
 * @param {unknown} given
 */
function payloadOf(type, given) {
  const parsed = type.payload.safeParse(given)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.slice(0, MAX_ISSUES)
  const words = issues.map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(': '),
  )
  throw new InvalidPayloadError(`The payload does not fit "${type.type}": ${words.join('; ')}`)
}

/** @param {any} value @returns {value is PromiseLike<unknown>} */
const isThenable = (value) => typeof value?.then === 'function'

/** @param {JobType} type @param {any} payload @param {JobContext} context */
async function runAsOneChunk({ parallel }, payload, context) {
  const parts = []
  for (const chunk of parallel?.split(payload, 1) ?? []) {
    parts.push(await parallel?.run(chunk, context))
  }
  return toJson(await parallel?.merge(parts, payload))
}

/**
 * The result as JSON text, or why there is none. A promise only where the job gives one: for small jobs it
 * costs as much as they do.
 *
 * @param {string} typeName @param {unknown} given @param {JobContext} context
 * @returns {string | Failure | Promise<string | Failure>}
 */
function runItem(typeName, given, context) {
  try {
    const type = find(typeName)
    const payload = /** @type {any} */ (payloadOf(type, given))
    if (type.parallel) return runAsOneChunk(type, payload, context).catch(failure)
    const result = type.run?.(payload, context)
    return isThenable(result) ? Promise.resolve(result).then(toJson).catch(failure) : toJson(result)
  } catch (thrown) {
    return failure(thrown)
  }
}

const utf8 = new TextDecoder()
/** @param {string | ArrayBuffer} json @returns {unknown[]} */
const parsed = (json) => JSON.parse(typeof json === 'string' ? json : utf8.decode(json))

// packing.ts has it; a thread cannot import TypeScript.
/** @template T @param {T[]} column @param {number} index */
const ofItem = (column, index) => column[column.length === 1 ? 0 : index]

/** @param {() => unknown} step */
async function answer(step) {
  try {
    return { ok: true, value: await step() }
  } catch (thrown) {
    return failure(thrown)
  }
}

/**
 * Items after each other; the answers that were not sent ahead.
 *
 * @param {RunMessage} message
 * @returns {Promise<ItemAnswers>}
 */
async function runItems({ run, lane, jobIds, types, attempts, payloads }) {
  begin(run)
  const place = lane * LANE_WORDS
  /** @type {unknown[]} */
  const given = parsed(payloads)
  const ids = new JobIds(jobIds)
  /** @type {ItemAnswers['answers']} */
  let answers = []
  /** @type {number[]} */
  let times = []
  let from = 0
  let startedAt = now()
  let sentAt = startedAt
  /** @param {number} next */
  const takeAnswers = (next) => {
    const taken = { from, answers, times: times.length > FEW ? Float64Array.from(times) : times }
    from = next
    answers = []
    times = []
    return taken
  }
  const last = given.length - 1
  if (last > 0) unsent.begin(run, 0)
  for (let index = 0; index <= last; index += 1) {
    clocks[(place + CLOCK_WORD) / 2] = startedAt
    // In this order: the pool sets the end and then looks which item runs.
    Atomics.store(flags, place + ITEM, index)
    if (index >= Atomics.load(flags, place + END)) break
    const type = ofItem(types, index) ?? ''
    const attempt = ofItem(attempts, index) ?? 0
    const context = new Context({ run, lane, attempt, width: 1, chunk: 0 }, ids, index)
    const told = runItem(type, given[index], context)
    const text = isThenable(told) ? await told : told
    const endedAt = now()
    answers.push(text)
    times.push(startedAt, endedAt)
    const fits = index === last || unsent.add(text, startedAt, endedAt)
    // The next one starts as this one ends: to ask the clock twice was a tenth of a tiny job.
    startedAt = endedAt
    if (!fits || (index < last && endedAt - sentAt > SEND_AHEAD_MS)) {
      tell({ heddle: 'items', run, answers: takeAnswers(index + 1), last: false })
      unsent.begin(run, index + 1)
      startedAt = sentAt = now()
    }
  }
  return takeAnswers(given.length)
}

/** The next one is here before the one at work has ended. @type {RunMessage[]} */
const waiting = []
let working = false

/** One run after the other. What goes wrong here ends the thread, and with it all that it was given. */
async function work() {
  if (working) return
  working = true
  for (let message = waiting.shift(); message; message = waiting.shift()) {
    const answers = await runItems(message)
    tell({ heddle: 'items', run: message.run, answers, last: true })
  }
  working = false
}

expose({
  /**
   * @param {CallContext} call @param {string} typeName
   * @param {string | ArrayBuffer} payloads @param {number} place
   */
  split(call, typeName, payloads, place) {
    begin(call.run)
    return answer(() => {
      const type = find(typeName)
      const { parallel } = type
      if (!parallel) throw new Error(`"${type.type}" cannot be split`)
      const payload = payloadOf(type, parsed(payloads)[place])
      payloadInMerge = payload
      const chunks = parallel.split(payload, call.width)
      if (Array.isArray(chunks) && chunks.length <= call.width) return chunks
      throw new Error(`split of "${type.type}" must return at most ${call.width} chunks`)
    })
  },

  /** @param {CallContext} call @param {string} type @param {unknown} chunk */
  runChunk(call, type, chunk) {
    begin(call.run)
    return answer(() =>
      find(type).parallel?.run(chunk, new Context(call, new JobIds(call.jobId), 0)),
    )
  },

  /** @param {CallContext} call @param {string} type @param {unknown[]} parts */
  merge(call, type, parts) {
    const payload = payloadInMerge
    payloadInMerge = undefined
    return answer(async () => toJson(await find(type).parallel?.merge(parts, payload)))
  },
})
