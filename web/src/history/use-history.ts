import { useMemo, useSyncExternalStore } from 'react'
import { useConnection } from '../graphql/connection-context.ts'
import type { JobState } from '../graphql/generated/graphql.ts'
import { createHistory } from './history-store.ts'

/** The rows of the history, live. */
export function useHistory(type: string, name: string, states: JobState[]) {
  const connection = useConnection()
  const store = useMemo(
    () =>
      createHistory(connection, {
        states,
        ...(type ? { types: [type] } : {}),
        ...(name ? { name } : {}),
      }),
    [connection, type, name, states],
  )
  const state = useSyncExternalStore(store.subscribe, store.snapshot)
  const { loadOlder, readAgain, follow } = store
  return { ...state, loadOlder, readAgain, follow }
}
