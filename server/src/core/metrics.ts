/** What a job took, in ms; null while unknown. */
export interface Times {
  /** from when it was allowed to start to when it did; a delay that was asked for is no waiting */
  queueTimeMs: number | null
  /** of the last attempt */
  executionTimeMs: number | null
  /** from submission to the end, delays and back-offs included */
  totalTimeMs: number | null
}

/** Never below zero: start and end are told by machines whose clocks may differ by a little. */
export function times(job: {
  createdAt: number
  runAt: number
  startedAt: number | null
  finishedAt: number | null
}): Times {
  const { createdAt, runAt, startedAt, finishedAt } = job
  return {
    queueTimeMs: span(runAt, startedAt),
    executionTimeMs: span(startedAt, finishedAt),
    totalTimeMs: span(createdAt, finishedAt),
  }
}

/** In whole µs, as the table has them: the difference of two large numbers has noise below that. */
const span = (from: number | null, to: number | null): number | null =>
  from === null || to === null ? null : Math.max(0, Math.round((to - from) * 1000) / 1000)

/** The smallest value that at least `share` (0..1) of the values do not exceed; null of none. Sorts a copy. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}
