import type { LearntView } from '../core/predicted-view.ts'
import type { Worker } from '../workers/worker.ts'
import { firstOf, type Running } from './running.ts'

/** This node's workers and what runs on them, as the planner wants to see them. */
export function viewWorkers(
  workers: Iterable<Pick<Worker, 'name' | 'threads'>>,
  running: Pick<Running, 'slots'>,
): LearntView['workers'] {
  const views = new Map<string, { name: string; threads: number; running: LearntRuns }>()
  for (const { name, threads } of workers) views.set(name, { name, threads, running: [] })
  for (const { workerName, width, orders, first, beganAt, nextMs, followMs } of running.slots()) {
    const started = firstOf(orders[0])
    const { id, type, rank, sizeClass, expectedMs, timeoutMs } = started?.job ?? first
    views.get(workerName)?.running.push({
      jobId: id,
      type,
      width,
      rank,
      // Its claim may have been earlier: it may have come next. Of gangs that follow each other what ended is told
      // late: the last stands for all, as if it started when the others are expected to be over.
      startedAt: beganAt + followMs,
      sizeClass,
      expectedMs,
      timeoutMs,
      thenMs: nextMs,
    })
  }
  return [...views.values()]
}

type LearntRuns = LearntView['workers'][number]['running'][number][]
