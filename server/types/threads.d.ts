// Types of what is used of threads@1.7.0. Its exports map names none, and its own file would pull the
// DOM's types into the whole project.
declare module 'threads/worker' {
  export function expose(api: Record<string, (...args: never[]) => unknown>): void
}

declare module 'threads' {
  /** A call: sent at once, but listened to only from `then` on, so `then` must follow in the same turn. */
  export type ModuleThread<Api> = {
    [Name in keyof Api]: Api[Name] extends (...args: infer Args) => infer Result
      ? (
          ...args: { [At in keyof Args]: Args[At] | Transferred<Args[At]> }
        ) => Promise<Awaited<Result>>
      : never
  }
  /** An argument that is not copied: what is transferred of it is the thread's from then on. */
  export interface Transferred<Value> {
    send: Value
    transferables: ArrayBuffer[]
  }
  export function Transfer<Value>(value: Value, transferables: ArrayBuffer[]): Transferred<Value>
  /** What spawn() needs of a worker. */
  export interface WorkerLike {
    postMessage(value: unknown, transfer?: readonly never[]): void
    addEventListener(type: string, listener: (event: { data: unknown }) => void): void
    removeEventListener(type: string, listener: (event: { data: unknown }) => void): void
    terminate(): Promise<number>
  }
  export function spawn<Api>(
    worker: WorkerLike,
    options?: { timeout?: number },
  ): Promise<ModuleThread<Api>>
}
