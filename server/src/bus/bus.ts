import type { Job, WorkerView } from '../core/job.ts'

/**
 * How nodes and browsers hear of changes. Everything on the bus is a hint: a message may be lost with
 * Redis and the tables stay the truth. Each message carries many changes, in the order they were committed.
 */
export interface Topics {
  /** jobs after a committed change, each in its new state */
  jobs: Job[]
  /** node `nodeId` put work in the queue (null: a client of the database did); idle nodes look at the table */
  wake: { nodeId: string | null }
  /** a node tells which of its threads are busy */
  workers: { nodeId: string; workers: WorkerView[] }
  /** running jobs somebody wants stopped */
  cancel: { ids: string[] }
}
export type Topic = keyof Topics

export interface Bus {
  /** Never throws and never waits: delivery to this process is synchronous with the next tick. */
  publish<T extends Topic>(topic: T, message: Topics[T]): void
  /** Returns the way to unsubscribe. A listener hears messages of every node, its own included, once. */
  subscribe<T extends Topic>(topic: T, listener: (message: Topics[T]) => void): () => void
  /** false while other nodes cannot be reached */
  healthy(): boolean
  close(): Promise<void>
}
