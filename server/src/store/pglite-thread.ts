/**
 * PGlite in a thread of its own, so that its queries do not stop the event loop (seen: 1.1 s for one).
 * node-postgres talks to it through PGlite's own `node-postgres` module, which wants an object with
 * `execProtocolStream`. It sends one protocol message at a time; those of one query are gathered here
 * and cross to the thread together.
 */
import { Worker } from 'node:worker_threads'
import { protocol } from '@electric-sql/pglite'

/** protocol messages that want an answer: Query, Sync, Flush, CopyData, CopyDone, CopyFail */
const ANSWERED = new Set([...'QSHdcf'].map((letter) => letter.charCodeAt(0)))

interface Answer {
  resolve(bytes: Uint8Array): void
  reject(error: Error): void
}
type FromThread =
  | { ready: boolean; error?: string }
  | { channel: string }
  | { id: number; bytes?: Uint8Array; error?: string }

export interface PGliteOptions {
  dataDir: string
  /** of the database server, as on its command line */
  settings: readonly (readonly [name: string, value: string])[]
  /** a data folder made by `dumpDataDir`, to start from */
  image?: Uint8Array | undefined
}

export class PGliteThread {
  readonly waitReady: Promise<void>
  onNotification: (channel: string) => void = () => {}
  readonly #worker: Worker
  readonly #answers = new Map<number, Answer>()
  #gathered: Uint8Array[] = []
  #lastId = 0
  #stopped: Error | null = null

  constructor(options: PGliteOptions) {
    const entry = new URL('./pglite-entry.js', import.meta.url)
    // The process's own flags (a loader, a heap limit) are not for this thread.
    this.#worker = new Worker(entry, { workerData: options, execArgv: [] })
    this.waitReady = new Promise((resolve, reject) => {
      const stop = (error: Error): void => {
        this.#stopped ??= error
        reject(error)
        for (const answer of this.#answers.values()) answer.reject(error)
        this.#answers.clear()
      }
      this.#worker.on('error', (error) =>
        stop(new Error(`The embedded database stopped: ${error.message.slice(0, 500)}`)),
      )
      this.#worker.on('exit', () => stop(new Error('The embedded database stopped')))
      this.#worker.on('message', (message: FromThread) => {
        if ('channel' in message) this.onNotification(message.channel)
        else if ('id' in message) this.#answered(message)
        else if (message.ready) resolve()
        else reject(new Error(message.error))
      })
    })
    this.waitReady.catch(() => {})
  }

  #answered({ id, bytes, error }: { id: number; bytes?: Uint8Array; error?: string }): void {
    const answer = this.#answers.get(id)
    this.#answers.delete(id)
    if (error === undefined) answer?.resolve(bytes ?? new Uint8Array())
    else answer?.reject(new Error(error))
  }

  #call(request: { bytes: Uint8Array } | { op: 'close' }): Promise<Uint8Array> {
    if (this.#stopped) return Promise.reject(this.#stopped)
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject })
      this.#worker.postMessage({ id, ...request })
    })
  }

  /** The one method that PGlite's node-postgres connection calls. */
  async execProtocolStream(message: Uint8Array): Promise<unknown[]> {
    this.#gathered.push(message)
    if (!ANSWERED.has(message[0] ?? 0)) return []
    const bytes = await this.#call({ bytes: Buffer.concat(this.#gathered.splice(0)) })
    const answers: unknown[] = []
    new protocol.Parser().parse(bytes, (answer: unknown) => void answers.push(answer))
    return answers
  }

  async close(): Promise<void> {
    if (!this.#stopped) await this.#call({ op: 'close' })
    await this.#worker.terminate()
  }
}
