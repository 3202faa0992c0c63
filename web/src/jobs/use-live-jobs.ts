import { useMemo, useSyncExternalStore } from 'react'
import { useConnection } from '../graphql/connection-context.ts'
import type { JobFilter, JobState } from '../graphql/generated/graphql.ts'
import { inOrder } from './live-jobs.ts'
import { createLiveJobs } from './live-jobs-store.ts'

/** The rows of the table of active jobs, live. */
export function useLiveJobs(type: string, name: string, shown: readonly JobState[]) {
  const connection = useConnection()
  const store = useMemo(() => {
    const filter: JobFilter = { ...(type ? { types: [type] } : {}), ...(name ? { name } : {}) }
    return createLiveJobs(connection, filter, shown)
  }, [connection, type, name, shown])
  const { live, loading, error } = useSyncExternalStore(store.subscribe, store.snapshot)
  const rows = useMemo(() => inOrder(live), [live])
  return { rows, loading, error, loadOlder: store.loadOlder, readAgain: store.readAgain }
}
