import type { JobRowFragment, JobState } from '../graphql/generated/graphql.ts'

/** More rows than anybody scrolls through; what lies beyond is read again once there is room. */
const MAX_ROWS = 5_000
/** How long an ended job stays, so that an eye can see how it ended. */
const LINGER_MS = 2_500

/** The rows of the table of active jobs, and what is known of those that are not in it. */
export interface LiveJobs {
  rows: ReadonlyMap<string, JobRowFragment>
  /** when a row of a job that has ended goes, in ms since the epoch */
  leaving: ReadonlyMap<string, number>
  /** the next page of older jobs; null at the end */
  endCursor: string | null
  /** new jobs found no room and must be read when there is some */
  overflown: boolean
}

export interface JobPage {
  jobs: JobRowFragment[]
  endCursor: string | null
}

export const noJobs: LiveJobs = {
  rows: new Map(),
  leaving: new Map(),
  endCursor: null,
  overflown: false,
}

const keyed = (jobs: JobRowFragment[]) => jobs.map((job) => [job.id, job] as const)

/** The table as it was read. */
export const fromPage = ({ jobs, endCursor }: JobPage): LiveJobs => ({
  ...noJobs,
  rows: new Map(keyed(jobs)),
  endCursor,
})

/** Older jobs below; what is known of a job already is newer than what the page says. */
export const withOlder = (live: LiveJobs, { jobs, endCursor }: JobPage): LiveJobs => ({
  ...live,
  rows: new Map([...keyed(jobs), ...live.rows]),
  endCursor,
})

const ended = (state: JobState): boolean =>
  state === 'COMPLETED' || state === 'FAILED' || state === 'CANCELLED'

/** Changed jobs: in place, new on top, ended ones for a moment longer, those of other states out. */
export function withChanges(
  live: LiveJobs,
  changes: JobRowFragment[],
  shown: readonly JobState[],
  nowMs: number,
): LiveJobs {
  const rows = new Map(live.rows)
  const leaving = new Map(live.leaving)
  let { overflown } = live
  for (const job of changes) {
    const known = rows.has(job.id)
    if (ended(job.state)) {
      if (!known) continue
      rows.set(job.id, job)
      leaving.set(job.id, nowMs + LINGER_MS)
    } else if (!shown.includes(job.state)) {
      rows.delete(job.id)
      leaving.delete(job.id)
    } else if (known || rows.size < MAX_ROWS) {
      rows.set(job.id, job)
      leaving.delete(job.id)
    } else {
      overflown = true
    }
  }
  return { ...live, rows, leaving, overflown }
}

/** Without the jobs that ended long enough ago. */
export function withoutEnded(live: LiveJobs, nowMs: number): LiveJobs {
  const gone = [...live.leaving].filter(([, leavesAt]) => leavesAt <= nowMs).map(([id]) => id)
  if (gone.length === 0) return live
  const rows = new Map(live.rows)
  const leaving = new Map(live.leaving)
  for (const id of gone) {
    rows.delete(id)
    leaving.delete(id)
  }
  return { ...live, rows, leaving }
}

const hasThreads = (job: JobRowFragment): boolean =>
  job.state !== 'QUEUED' && job.state !== 'SCHEDULED'

/** Jobs on threads first, in the order they started; then the waiting ones, last submitted first. */
export function inOrder(live: LiveJobs): JobRowFragment[] {
  return [...live.rows.values()].sort((a, b) => {
    const running = Number(hasThreads(b)) - Number(hasThreads(a))
    if (running !== 0) return running
    if (hasThreads(a)) return (a.startedAt ?? '') < (b.startedAt ?? '') ? -1 : 1
    // Ids sort by the time of submission.
    return a.id < b.id ? 1 : -1
  })
}
