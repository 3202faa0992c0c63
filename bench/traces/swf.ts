import { sizeClass } from '../../server/src/core/estimate.ts'
import type { SimulatedJob } from '../../server/src/core/simulate.ts'

/**
 * Standard Workload Format (Parallel Workloads Archive): one job a line, fields apart by blanks, `;`
 * before comments, -1 for what is not known.
 */
export interface TraceJob {
  number: number
  submitAt: number
  runMs: number
  processors: number
  /** time asked for; null where the trace does not tell */
  askedMs: number | null
  user: number
}

export interface Trace {
  /** processors of the machine by the header; null where it does not tell */
  maxProcessors: number | null
  jobs: TraceJob[]
}

/** Leaves out jobs that never ran or whose size is not known. */
export function parseSwf(text: string): Trace {
  let maxProcessors: number | null = null
  const jobs: TraceJob[] = []
  for (const line of text.split('\n')) {
    const header = /^;\s*MaxProcs:\s*(\d+)/.exec(line)
    if (header) maxProcessors = Number(header[1])
    if (line.startsWith(';') || line.trim() === '') continue
    const fields = line.trim().split(/\s+/).map(Number)
    const field = (number: number): number => fields[number - 1] ?? -1
    const processors = field(5) > 0 ? field(5) : field(8)
    if (field(4) <= 0 || processors <= 0) continue
    jobs.push({
      number: field(1),
      submitAt: field(2) * 1000,
      runMs: field(4) * 1000,
      processors,
      askedMs: field(9) > 0 ? field(9) * 1000 : null,
      user: field(12),
    })
  }
  return { maxProcessors, jobs }
}

/**
 * A trace's job in the product's words: its type is its user, its size class the time asked for, which
 * is the best a trace tells of what is run. Demands above the largest worker are cut to it.
 */
export const toSimulatedJob = (job: TraceJob, largestWorker: number): SimulatedJob => ({
  id: String(job.number).padStart(12, '0'),
  type: `user-${job.user}`,
  rank: 0,
  ...(job.askedMs === null ? {} : { sizeClass: sizeClass(job.askedMs / 1000) }),
  threadDemand: Math.min(job.processors, largestWorker),
  gang: Math.min(job.processors, largestWorker),
  createdAt: job.submitAt,
  runMs: job.runMs,
  expectedMs: job.askedMs,
  timeoutMs: job.askedMs,
})
