import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { loadRegistry } from '../src/job-types/registry.ts'
import type { PoolOptions } from '../src/workers/pool.ts'
import { startProcessWorker } from '../src/workers/process-worker.ts'
import { startThreadWorker } from '../src/workers/thread-worker.ts'
import type { Worker, WorkItem, WorkResult } from '../src/workers/worker.ts'

interface TestItem {
  type: string
  payload?: unknown
  timeoutMs?: number
}

export interface TestWorker {
  worker: Worker
  trouble: string[]
  progress: { jobId: string; fraction: number }[]
  /** one order of one job; resolves with its result */
  run(
    type: string,
    payload?: unknown,
    options?: { width?: number; timeoutMs?: number },
  ): Promise<WorkResult>
  /** one order of several jobs; resolves when all are answered, in the order they were given */
  runBatch(items: TestItem[], options?: { width?: number }): Promise<WorkResult[]>
  /** the same, with the answer to each when it is told */
  runEach(items: TestItem[]): Promise<WorkResult>[]
  /** jobs that come next on the thread of an order; resolves like `runBatch` */
  runBehind(order: number, items: TestItem[]): Promise<WorkResult[]>
  /** id of the latest job */
  lastId(): string
  /** ids of the latest jobs, in the order they were given */
  lastIds(howMany: number): string[]
  /** id of the latest order */
  lastOrder(): number
  close(): Promise<void>
}

const starts = { process: startProcessWorker, thread: startThreadWorker }

/** A worker with job types of the test's own, given as the source of a module. */
export async function startTestWorker(
  source: string,
  isolation: keyof typeof starts,
  options: Partial<PoolOptions> = {},
): Promise<TestWorker> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-worker-'))
  writeFileSync(path.join(folder, 'types.ts'), source)
  const { modules, broken } = await loadRegistry({
    jobsDir: folder,
    cacheDir: path.join(folder, 'cache'),
  })
  if (broken[0]) throw broken[0].error
  const waiting = new Map<string, (result: WorkResult) => void>()
  const trouble: string[] = []
  const progress: TestWorker['progress'] = []
  const worker = await starts[isolation](
    { name: 'worker-1', threads: 4, modules, graceMs: 100, ...options },
    {
      finished(results) {
        for (const result of results) {
          const item = `${result.order}.${result.place}`
          const answer = waiting.get(item)
          if (!answer) throw new Error(`item ${item} was answered twice`)
          waiting.delete(item)
          answer(result)
        }
      },
      progress: (updates) => void progress.push(...updates),
      trouble: (message) => void trouble.push(message),
    },
  )
  let count = 0
  let orders = 0
  const itemOf = ({ type, payload, timeoutMs }: TestItem): WorkItem => ({
    jobId: `job-${(count += 1)}`,
    type,
    attempt: 1,
    payload: JSON.stringify(payload ?? {}),
    timeoutMs: timeoutMs ?? null,
  })
  /** Gives an order to the worker. */
  const order = (
    items: WorkItem[],
    options: { width?: number; behind?: number } = {},
  ): Promise<WorkResult>[] => {
    const id = (orders += 1)
    const answers = items.map(
      (_, place) => new Promise<WorkResult>((resolve) => waiting.set(`${id}.${place}`, resolve)),
    )
    worker.run([{ id, width: 1, items, ...options }])
    return answers
  }

  return {
    worker,
    trouble,
    progress,
    run: (type, payload, { width = 1, timeoutMs } = {}) =>
      order([itemOf({ type, payload, timeoutMs })], { width })[0]!,
    runBatch: (list, options) => Promise.all(order(list.map(itemOf), options)),
    runEach: (list) => order(list.map(itemOf)),
    runBehind: (behind, list) => Promise.all(order(list.map(itemOf), { behind })),
    lastId: () => `job-${count}`,
    lastIds: (howMany) =>
      Array.from({ length: howMany }, (_, n) => `job-${count - howMany + 1 + n}`),
    lastOrder: () => orders,
    async close() {
      await worker.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
