import { createPool, type PoolOptions } from './pool.ts'
import { packOrder } from './packing.ts'
import type { Worker, WorkerEvents } from './worker.ts'

/**
 * A worker whose threads live in the server process (`WORKER_ISOLATION=thread`). Cheaper to talk to, but
 * no wall: a job that runs out of memory in the wrong way, or crashes native code, takes the server along.
 */
export function startThreadWorker(options: PoolOptions, events: WorkerEvents): Promise<Worker> {
  const pool = createPool(options, events)
  return Promise.resolve({ ...pool, run: (orders) => pool.run(orders.map(packOrder)) })
}
