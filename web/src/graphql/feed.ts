import type { Connection } from './connection.ts'
import type { JobFilter, JobRowFragment } from './generated/graphql.ts'
import { JobChanges } from './fields.ts'

/** A page renders this often at most, however many jobs change. */
const RENDER_MS = 200
/** Changed jobs kept between two renderings: a tab in the background may not render for minutes. */
const MAX_KEPT = 20_000

/**
 * Changes of jobs in batches, the latest of each job. `onMissed` is called when there may have been more:
 * too many to keep, or while the connection was lost. The page must read anew then. Returns the way to stop.
 */
export function watchJobs(
  connection: Connection,
  filter: JobFilter,
  onBatch: (jobs: JobRowFragment[]) => void,
  onMissed: () => void,
): () => void {
  const kept = new Map<string, JobRowFragment>()
  let overflown = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = (): void => {
    timer = undefined
    const batch = [...kept.values()]
    kept.clear()
    if (overflown) onMissed()
    else onBatch(batch)
    overflown = false
  }
  const stopEvents = connection.listen(JobChanges, { filter }, ({ jobUpdated }) => {
    if (kept.size < MAX_KEPT) kept.set(jobUpdated.id, jobUpdated)
    else overflown = true
    timer ??= setTimeout(flush, RENDER_MS)
  })
  let reconnects = connection.reconnects()
  const stopStates = connection.subscribe(() => {
    if (connection.reconnects() === reconnects) return
    reconnects = connection.reconnects()
    onMissed()
  })
  return () => {
    clearTimeout(timer)
    stopEvents()
    stopStates()
  }
}
