/**
 * A worker in a process of its own, seen from the server process. The wall is worth its price (a quarter
 * of a millisecond per message): 6 of 11 ordinary ways for a thread to run out of memory abort the whole
 * process whatever its heap limit, and so do faults in native code.
 *
 * When the process ends, what ran in it is answered as `lost`, what had not started as `interrupted`,
 * and a new process is started; orders given meanwhile wait for it.
 */
import { fork, type ChildProcess } from 'node:child_process'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import type { JobError } from '../core/job.ts'
import type { Outcome } from '../core/outcome.ts'
import type { FromWorkerProcess, ToWorkerProcess } from './messages.ts'
import { createOutstanding } from './outstanding.ts'
import { packOrder, unpackResults } from './packing.ts'
import type { PoolOptions } from './pool.ts'
import type { Worker, WorkerEvents, WorkOrder } from './worker.ts'

/** A little less important than the server process, which has to answer and to renew leases when all cores are busy. */
const NICENESS = 5
const RESTART_MS = 100
const MAX_RESTART_MS = 10_000
/** A process that has lived that long is restarted at once. */
const HEALTHY_MS = 30_000
const CLOSE_MS = 3_000

/** As `npm start` gives the server: docs/performance.md has what it is worth. */
const V8_FLAGS = ['--no-allocation-site-pretenuring']

const isSource = import.meta.url.endsWith('.ts')
const entry = fileURLToPath(
  new URL(isSource ? './process-entry.ts' : './process-entry.js', import.meta.url),
)

const describeEnd = (name: string, code: number | null, signal: string | null): JobError => ({
  name: 'WorkerExitError',
  message: `The process of ${name} ended with ${signal ?? `exit code ${code}`} while the job ran. Running out of memory does that`,
  code: 'WORKER_EXIT',
})

function launch(options: PoolOptions): ChildProcess {
  const child = fork(entry, [JSON.stringify(options)], {
    serialization: 'advanced',
    execArgv: [...V8_FLAGS, ...(isSource ? ['--import', import.meta.resolve('tsx')] : [])],
    env: {
      ...process.env,
      // Large pages for what is not V8's: one fault in place of 512. Before glibc 2.35, and elsewhere, it is nothing.
      GLIBC_TUNABLES: process.env.GLIBC_TUNABLES ?? 'glibc.malloc.hugetlb=1',
      // libuv's own threads (sharp, crypto, files) are one pool per process: as many as may ask for one.
      UV_THREADPOOL_SIZE: String(Math.max(4, options.threads)),
    },
  })
  if (child.pid !== undefined) {
    try {
      os.setPriority(child.pid, NICENESS)
    } catch {
      // It has ended already, which `exit` tells; or the system does not let us, which costs only politeness.
    }
  }
  return child
}

/** Resolves when the first process is ready. Rejects when it ends before. */
export async function startProcessWorker(
  options: PoolOptions,
  events: WorkerEvents,
): Promise<Worker> {
  const outstanding = createOutstanding(options.threads)
  let child: ChildProcess | null = null
  let ready = false
  const waiting: ToWorkerProcess[] = []
  let closing = false
  let delayMs = RESTART_MS
  let restart: NodeJS.Timeout | undefined
  /** when the process ends itself, unless the lease is extended */
  let leaseEndsAt = Infinity

  const send = (message: ToWorkerProcess): void => {
    if (ready && child?.connected) child.send(message)
    else if (!closing) waiting.push(message)
  }

  const onMessage = (message: FromWorkerProcess): void => {
    switch (message.type) {
      case 'ready':
        ready = true
        if (leaseEndsAt < Infinity) send({ type: 'lease', ms: leaseEndsAt - performance.now() })
        for (const each of waiting.splice(0)) send(each)
        return
      case 'finished':
        events.finished(outstanding.take(unpackResults(message.results)))
        return
      case 'progress':
        events.progress(message.updates)
        return
      case 'trouble':
        events.trouble(message.message)
        return
      case 'closed':
        return
    }
    message satisfies never
  }

  const onExit = (startedAt: number, code: number | null, signal: string | null): void => {
    ready = false
    child = null
    const error = describeEnd(options.name, code, signal)
    const gaveUp = closing || performance.now() > leaseEndsAt
    const ran: Outcome = gaveUp ? { kind: 'interrupted' } : { kind: 'lost', error }
    // Orders that were never sent wait for the next process.
    const unsent = new Set(
      waiting.flatMap((message) =>
        message.type === 'run' ? message.orders.map(({ id }) => id) : [],
      ),
    )
    const results = outstanding.fail(ran, unsent)
    if (results.length > 0) events.finished(results)
    if (closing) return
    events.trouble(`${error.message.split('.')[0]}; it is started again`)
    delayMs =
      performance.now() - startedAt > HEALTHY_MS
        ? RESTART_MS
        : Math.min(delayMs * 2, MAX_RESTART_MS)
    restart = setTimeout(() => start(), delayMs)
  }

  const start = (): ChildProcess => {
    const startedAt = performance.now()
    const started = launch(options)
    child = started
    started.on('message', (message) => onMessage(message as FromWorkerProcess))
    // A message that could not be sent: `exit` follows and answers for everything.
    started.on('error', (error) => events.trouble(`${options.name}: ${error.message}`))
    started.once('exit', (code, signal) => onExit(startedAt, code, signal))
    return started
  }

  const first = start()
  await new Promise<void>((resolve, reject) => {
    const failed = (code: number | null, signal: string | null): void => {
      closing = true
      clearTimeout(restart)
      reject(
        new Error(`The process of ${options.name} did not start: it ended with ${signal ?? code}`),
      )
    }
    first.once('exit', failed)
    first.once('message', () => {
      first.off('exit', failed)
      resolve()
    })
  })

  return {
    name: options.name,
    threads: options.threads,
    run(orders: WorkOrder[]) {
      const packed = orders.map(packOrder)
      outstanding.add(packed)
      send({ type: 'run', orders: packed })
    },
    cancel: (jobIds) => send({ type: 'cancel', jobIds }),
    recall: (jobIds) => send({ type: 'recall', jobIds }),
    warm: () => send({ type: 'warm' }),
    extendLease(ms) {
      leaseEndsAt = performance.now() + ms
      if (ready) send({ type: 'lease', ms })
    },
    busy: () => outstanding.busy(),
    async close() {
      if (closing) return
      closing = true
      clearTimeout(restart)
      const ending = child
      if (!ending) {
        const results = outstanding.fail({ kind: 'interrupted' }, new Set())
        if (results.length > 0) events.finished(results)
        return
      }
      const ended = new Promise<void>((resolve) => ending.once('exit', () => resolve()))
      ending.on('message', (message) => {
        if ((message as FromWorkerProcess).type === 'closed') ending.kill('SIGKILL')
      })
      if (ending.connected) ending.send({ type: 'close' } satisfies ToWorkerProcess)
      const late = setTimeout(() => ending.kill('SIGKILL'), CLOSE_MS)
      await ended
      clearTimeout(late)
    },
  }
}
