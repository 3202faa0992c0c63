import { Worker, type WorkerOptions } from 'node:worker_threads'

type Listener = (event: { data: unknown }) => void

/**
 * What threads.js's `spawn` needs, on Node's own thread. Its own class takes no URL, and keeps every
 * thread it ever started in memory.
 */
export class NativeThread extends Worker {
  #wrapped = new Map<Listener, (data: unknown) => void>()

  constructor(file: URL, options: WorkerOptions) {
    super(file, options)
    // threads.js adds a listener per call.
    this.setMaxListeners(0)
  }

  addEventListener(type: string, listener: Listener): void {
    const wrapped = (data: unknown): void => listener({ data })
    this.#wrapped.set(listener, wrapped)
    this.on(type, wrapped)
  }

  removeEventListener(type: string, listener: Listener): void {
    const wrapped = this.#wrapped.get(listener)
    if (!wrapped) return
    this.#wrapped.delete(listener)
    this.off(type, wrapped)
  }
}
