import type { LearntView } from '../core/predicted-view.ts'
import type { Worker } from '../workers/worker.ts'
import type { Running } from './running.ts'

/** This node's workers and what runs on them, as the planner wants to see them. */
export function viewWorkers(
  workers: Iterable<Pick<Worker, 'name' | 'threads'>>,
  running: Pick<Running, 'slots'>,
): LearntView['workers'] {
  const views = new Map<string, { name: string; threads: number; running: LearntRuns }>()
  for (const { name, threads } of workers) views.set(name, { name, threads, running: [] })
  for (const { workerName, width, jobs } of running.slots()) {
    const [first] = jobs.values()
    if (!first) continue
    const { id, type, rank, startedAt, createdAt } = first.job
    const { sizeClass, expectedMs, timeoutMs } = first.job
    views.get(workerName)?.running.push({
      jobId: id,
      type,
      width,
      rank,
      startedAt: startedAt ?? createdAt,
      sizeClass,
      expectedMs,
      timeoutMs,
    })
  }
  return [...views.values()]
}

type LearntRuns = LearntView['workers'][number]['running'][number][]
