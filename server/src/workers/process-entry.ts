/** A worker process: one pool of threads, told what to do by the server process, and gone when that is gone. */
import { toError } from '../core/errors.ts'
import type { WorkResult } from './worker.ts'
import { keepFreedMemory } from './freed-memory.ts'
import type { FromWorkerProcess, ToWorkerProcess } from './messages.ts'
import { packResults } from './packing.ts'
import { createPool, type PoolOptions } from './pool.ts'

keepFreedMemory()
const options = JSON.parse(process.argv[2] ?? '{}') as PoolOptions

const send = (message: FromWorkerProcess, sent?: () => void): void => {
  if (process.connected) process.send?.(message, undefined, undefined, sent)
}

// The server process decides when to stop; Ctrl-C in a terminal reaches the whole group.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
// Threads may spin or sit in native code: nothing gentler ends them for sure.
const endNow = (): void => void process.kill(process.pid, 'SIGKILL')
process.on('disconnect', endNow)

let finished: WorkResult[] = []
const sendFinished = (): void => {
  send({ type: 'finished', results: packResults(finished) })
  finished = []
}

const pool = createPool(options, {
  finished(results) {
    // One message for all that ends in one turn.
    if (finished.length === 0) setImmediate(sendFinished)
    finished.push(...results)
  },
  progress: (updates) => send({ type: 'progress', updates }),
  trouble: (message) => send({ type: 'trouble', message }),
})

let leaseEnd: NodeJS.Timeout | undefined

async function handle(message: ToWorkerProcess): Promise<void> {
  switch (message.type) {
    case 'run':
      pool.run(message.orders)
      return
    case 'cancel':
      pool.cancel(message.jobIds)
      return
    case 'recall':
      pool.recall(message.jobIds)
      return
    case 'warm':
      pool.warm()
      return
    case 'lease':
      clearTimeout(leaseEnd)
      leaseEnd = setTimeout(endNow, message.ms).unref()
      return
    case 'close':
      await pool.close()
      if (finished.length > 0) sendFinished()
      send({ type: 'closed' })
      return
  }
  message satisfies never
}

process.on('message', (message: ToWorkerProcess) => {
  handle(message).catch((error: unknown) => {
    // What it was told may be done by half. The server process answers for all that was in a process that
    // ended; from one that lived on, some jobs would never be heard of.
    const message = `${options.name}: ${toError(error).stack ?? ''}`
    send({ type: 'trouble', message }, endNow)
  })
})
send({ type: 'ready' })
