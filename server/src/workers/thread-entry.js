// Runs inside every thread. Plain JavaScript on purpose: Node 20 cannot load a TypeScript file as a
// thread, so this same file serves development, tests and the built server.
import { parentPort, workerData } from 'node:worker_threads'
import { expose } from 'threads/worker'

/**
 * @typedef {import('./messages.ts').Answer<never>} Failure
 * @typedef {import('./messages.ts').CallContext} CallContext
 * @typedef {import('./messages.ts').ItemAnswer} ItemAnswer
 * @typedef {import('./worker.ts').WorkItem} WorkItem
 * @typedef {import('../job-types/job-type.ts').JobType} JobType
 * @typedef {import('../job-types/job-type.ts').JobContext} JobContext
 */

// threads.js swallows uncaught errors: the thread would live on and its caller wait for ever. Without its
// listeners Node ends the thread, and the owner hears of the true error.
for (const event of ['uncaughtException', 'unhandledRejection']) process.removeAllListeners(event)

/** Results that are ready wait at most this long for the batch to end, so that a crash loses little. */
const SEND_AHEAD_MS = 20
const PROGRESS_MS = 100
const MAX_TEXT = 16_384
const MAX_ISSUES = 20

const { control, modules, maxResultBytes } = /** @type {import('./messages.ts').ThreadData} */ (
  workerData
)
// messages.ts has the layout; a thread cannot import TypeScript.
const flags = new Int32Array(control, 0, 3)
const clock = new Float64Array(control, 16, 1)
const CANCELLED_RUN = 0
const ITEM = 1
const END = 2

/** @type {Map<string, JobType>} */
const types = new Map()
for (const address of modules) {
  const module = await import(address)
  for (const type of [module.default].flat()) types.set(type.type, type)
}

/** @type {AbortController} */
let aborter = new AbortController()
let currentRun = 0
/** @type {unknown} */
let payloadInMerge

parentPort?.on('message', (message) => {
  if (message?.heddle === 'abort' && message.run === currentRun) aborter.abort(cancelledError())
})

const now = () => performance.timeOrigin + performance.now()
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
  aborter = new AbortController()
}

/** @param {CallContext} call @returns {JobContext} */
function contextOf({ run, jobId, attempt, width, chunk }) {
  let toldAt = -Infinity
  const isCancelled = () => Atomics.load(flags, CANCELLED_RUN) === run
  return {
    jobId,
    attempt,
    width,
    get signal() {
      return aborter.signal
    },
    get cancelled() {
      return isCancelled()
    },
    throwIfCancelled() {
      if (isCancelled()) throw cancelledError()
    },
    progress(fraction) {
      const at = performance.now()
      if (at - toldAt < PROGRESS_MS && fraction < 1) return
      toldAt = at
      const told = Math.min(1, Math.max(0, Number(fraction) || 0))
      parentPort?.postMessage({ heddle: 'progress', run, jobId, chunk, fraction: told })
    },
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
 * @param {string} text
 */
function payloadOf(type, text) {
  const parsed = type.payload.safeParse(JSON.parse(text))
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.slice(0, MAX_ISSUES)
  const words = issues.map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(': '),
  )
  throw new InvalidPayloadError(`The payload does not fit "${type.type}": ${words.join('; ')}`)
}

/** @param {WorkItem} item @param {JobContext} context */
async function runWhole(item, context) {
  const type = find(item.type)
  const payload = /** @type {any} */ (payloadOf(type, item.payload))
  if (!type.parallel) return toJson(await type.run(payload, context))
  const parts = []
  for (const chunk of type.parallel.split(payload, 1)) {
    parts.push(await type.parallel.run(chunk, context))
  }
  return toJson(await type.parallel.merge(parts, payload))
}

/** @param {() => unknown} step */
async function answer(step) {
  try {
    return { ok: true, value: await step() }
  } catch (thrown) {
    return failure(thrown)
  }
}

expose({
  /** @param {number} run @param {WorkItem[]} items */
  async runItems(run, items) {
    begin(run)
    /** @type {ItemAnswer[]} */
    let answers = []
    let sentAt = performance.now()
    for (const [index, item] of items.entries()) {
      clock[0] = now()
      // In this order: the pool sets the end and then looks which item runs.
      Atomics.store(flags, ITEM, index)
      if (index >= Atomics.load(flags, END)) break
      const startedAt = clock[0]
      const context = contextOf({
        run,
        jobId: item.jobId,
        attempt: item.attempt,
        width: 1,
        chunk: 0,
      })
      const told = /** @type {ItemAnswer['answer']} */ (await answer(() => runWhole(item, context)))
      answers.push({ index, answer: told, startedAt, finishedAt: now() })
      if (index + 1 < items.length && performance.now() - sentAt > SEND_AHEAD_MS) {
        parentPort?.postMessage({ heddle: 'items', run, answers })
        answers = []
        sentAt = performance.now()
      }
    }
    return answers
  },

  /** @param {CallContext} call @param {WorkItem} item */
  split(call, item) {
    begin(call.run)
    return answer(() => {
      const type = find(item.type)
      const { parallel } = type
      if (!parallel) throw new Error(`"${item.type}" cannot be split`)
      const payload = payloadOf(type, item.payload)
      payloadInMerge = payload
      const chunks = parallel.split(payload, call.width)
      if (Array.isArray(chunks) && chunks.length <= call.width) return chunks
      throw new Error(`split of "${item.type}" must return at most ${call.width} chunks`)
    })
  },

  /** @param {CallContext} call @param {string} type @param {unknown} chunk */
  runChunk(call, type, chunk) {
    begin(call.run)
    return answer(() => find(type).parallel?.run(chunk, contextOf(call)))
  },

  /** @param {CallContext} call @param {string} type @param {unknown[]} parts */
  merge(call, type, parts) {
    const payload = payloadInMerge
    payloadInMerge = undefined
    return answer(async () => toJson(await find(type).parallel?.merge(parts, payload)))
  },
})
