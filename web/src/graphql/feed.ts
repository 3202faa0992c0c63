import type { Connection } from './connection.ts'
import type { JobFilter, JobRowFragment } from './generated/graphql.ts'
import { JobChanges } from './fields.ts'

/** While more changes than the server tells, a page is read anew, which costs more than an event: no more often. */
const READ_ANEW_MS = 2_000

/**
 * Changes of jobs, the latest state of each. `onMissed` is called when there may have been more: before this listened,
 * while the connection was lost, or too many at once. The page must read anew then. Returns the way to stop.
 */
export function watchJobs(
  connection: Connection,
  filter: JobFilter,
  onChanges: (jobs: JobRowFragment[]) => void,
  onMissed: () => void,
): () => void {
  let pause: ReturnType<typeof setTimeout> | undefined
  let missed = false
  const readAnew = (): void => {
    if (!missed || pause !== undefined) return
    missed = false
    pause = setTimeout(() => {
      pause = undefined
      readAnew()
    }, READ_ANEW_MS)
    onMissed()
  }
  const stopEvents = connection.listen(JobChanges, { filter }, ({ jobsUpdated }) => {
    if (jobsUpdated.jobs.length > 0) onChanges(jobsUpdated.jobs)
    missed ||= jobsUpdated.incomplete
    readAnew()
  })
  return () => {
    clearTimeout(pause)
    stopEvents()
  }
}
