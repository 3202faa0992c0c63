// Types of what is used of threads@1.7.0. Its exports map names none, and its own file would pull the
// DOM's types into the whole project.
declare module 'threads/worker' {
  export function expose(api: Record<string, (...args: never[]) => unknown>): void
}

declare module 'threads' {
  /** A call: sent at once, but listened to only from `then` on, so `then` must follow in the same turn. */
  export type ModuleThread<Api> = {
    [Name in keyof Api]: Api[Name] extends (...args: infer Args) => infer Result
      ? (...args: Args) => Promise<Awaited<Result>>
      : never
  }
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
