import type { WorkersNowSubscription } from '../graphql/generated/graphql.ts'

export type WorkerNow = WorkersNowSubscription['workersUpdated'][number]

export interface Gang {
  /** null for a run of free threads */
  jobId: string | null
  name: string
  type: string
  threads: number[]
}

/** A worker's threads by the job they work for, in the order of each job's first thread; the free ones last. */
export function gangsOf(threads: WorkerNow['threads']): Gang[] {
  const gangs = new Map<string | null, Gang>()
  for (const { index, jobId, job } of threads) {
    const key = jobId ?? null
    const gang = gangs.get(key) ?? {
      jobId: key,
      name: job?.name ?? '',
      type: job?.type ?? '',
      threads: [],
    }
    gang.threads.push(index)
    gangs.set(key, gang)
  }
  const free = gangs.get(null)
  gangs.delete(null)
  return free ? [...gangs.values(), free] : [...gangs.values()]
}

/** A hue that stays a job's own for as long as it runs. */
export function hueOf(jobId: string): number {
  let hash = 0
  for (const char of jobId) hash = (hash * 31 + char.charCodeAt(0)) >>> 0
  return hash % 360
}
