/**
 * Answers of a thread that it has not sent yet, in memory that it shares with its pool. A thread sends what it has when
 * a batch ends or has run for long; while a job keeps it busy it cannot, and what it holds would be late by as long as
 * that job runs, or lost with the thread.
 *
 * A thread that has been ended writes no more, and one that replaces it begins anew: what was read too late is gone.
 *
 * Plain JavaScript, since threads import it as well: see `thread-entry.js`.
 *
 * @typedef {import('./packing.ts').Failure} Failure
 * @typedef {import('./packing.ts').ItemAnswers} ItemAnswers
 */
import { Buffer } from 'node:buffer'
import { TextEncoder } from 'node:util'

/** What does not fit is sent. Pages that nothing is written to are no memory. */
export const UNSENT_BYTES = 1024 * 1024

/** Places in the header, of Int32: how often it was begun anew, of which run, from which item on, and the end in bytes. */
const TIMES_BEGUN = 0
const RUN = 1
const FROM = 2
const END = 3
const HEADER_BYTES = 16
/** Of each answer, before its text: start and end as Float64, whether it is a failure and the bytes of text as Int32. */
const ENTRY_BYTES = 24

const SHORT = 24
const ASCII = 127

const encoder = new TextEncoder()
const toEight = (/** @type {number} */ bytes) => (bytes + 7) & ~7

/** The thread's side. */
export class UnsentAnswers {
  #ints
  #floats
  #bytes
  #end = HEADER_BYTES

  /** @param {SharedArrayBuffer} memory of `UNSENT_BYTES` */
  constructor(memory) {
    this.#ints = new Int32Array(memory)
    this.#floats = new Float64Array(memory)
    this.#bytes = new Uint8Array(memory)
  }

  /** Forgets all, before answers to items of a run from there on. @param {number} run @param {number} from */
  begin(run, from) {
    // In this order: who reads meanwhile finds that it is no run's, or that it was begun anew.
    Atomics.store(this.#ints, RUN, 0)
    Atomics.add(this.#ints, TIMES_BEGUN, 1)
    this.#end = HEADER_BYTES
    Atomics.store(this.#ints, FROM, from)
    Atomics.store(this.#ints, END, this.#end)
    Atomics.store(this.#ints, RUN, run)
  }

  /**
   * False where it does not fit.
   *
   * @param {string | Failure} answer of the item after the one before @param {number} startedAt
   * @param {number} finishedAt
   */
  add(answer, startedAt, finishedAt) {
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
    const at = this.#end
    const textAt = at + ENTRY_BYTES
    if (textAt + text.length > UNSENT_BYTES) return false
    const written = this.#writeShort(text, textAt) ?? this.#write(text, textAt)
    if (written === null) return false
    this.#floats[at / 8] = startedAt
    this.#floats[at / 8 + 1] = finishedAt
    this.#ints[at / 4 + 4] = typeof answer === 'string' ? 0 : 1
    this.#ints[at / 4 + 5] = written
    this.#end = toEight(textAt + written)
    Atomics.store(this.#ints, END, this.#end)
    return true
  }

  /**
   * The result of a tiny job most often is a few characters, for which the encoder takes more than twice as long: that
   * was a quarter of what such a job costs its thread. Null for any other text.
   *
   * @param {string} text @param {number} at
   */
  #writeShort(text, at) {
    if (text.length > SHORT) return null
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index)
      if (code > ASCII) return null
      this.#bytes[at + index] = code
    }
    return text.length
  }

  /** Null where there is no room. @param {string} text @param {number} at */
  #write(text, at) {
    const { read, written } = encoder.encodeInto(text, this.#bytes.subarray(at))
    return read === text.length ? written : null
  }
}

/**
 * The pool's side: null where it holds nothing of that run. Also where the thread has sent it this moment and goes on:
 * then a message with it is on its way.
 *
 * @param {SharedArrayBuffer} memory @param {number} run
 * @returns {ItemAnswers | null}
 */
export function readUnsent(memory, run) {
  const ints = new Int32Array(memory)
  const timesBegun = Atomics.load(ints, TIMES_BEGUN)
  if (Atomics.load(ints, RUN) !== run) return null
  const from = Atomics.load(ints, FROM)
  const held = Buffer.from(new Uint8Array(memory).slice(0, Atomics.load(ints, END)).buffer)
  const isWhole = Atomics.load(ints, RUN) === run && Atomics.load(ints, TIMES_BEGUN) === timesBegun
  return isWhole ? { from, ...entriesOf(held) } : null
}

/** @param {Buffer} held */
function entriesOf(held) {
  /** @type {ItemAnswers['answers']} */
  const answers = []
  /** @type {number[]} */
  const times = []
  for (let at = HEADER_BYTES; at < held.length;) {
    const { buffer } = held
    const [startedAt = 0, finishedAt = 0] = new Float64Array(buffer, at, 2)
    const [isFailure, bytes = 0] = new Int32Array(buffer, at + 16, 2)
    const textAt = at + ENTRY_BYTES
    const text = held.toString('utf8', textAt, textAt + bytes)
    answers.push(isFailure ? /** @type {Failure} */ (JSON.parse(text)) : text)
    times.push(startedAt, finishedAt)
    at = toEight(textAt + bytes)
  }
  return { answers, times }
}
