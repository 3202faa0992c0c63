import type { CombinedError } from 'urql'
import type { Connection } from '../graphql/connection.ts'
import { watchJobs } from '../graphql/feed.ts'
import { graphql } from '../graphql/generated/index.ts'
import type { JobFilter, JobRowFragment } from '../graphql/generated/graphql.ts'
import { createPageStore, type PageStore } from '../graphql/page-store.ts'
import { withNewer, withPage } from './ended-jobs.ts'

const PAGE = 100

const History = graphql(`
  query History($filter: JobFilter!, $first: Int!, $after: String) {
    history(filter: $filter, first: $first, after: $after) {
      nodes {
        ...JobRow
      }
      pageInfo {
        endCursor
        hasNextPage
      }
    }
  }
`)

/** Rows kept when jobs end while the top is looked at: what lies below is read again when it is wanted. */
const MAX_ROWS = 2_000
const KEPT_ROWS = 200
/** Newer jobs held back at most; beyond, the top is read anew. */
export const MAX_HELD = 1_000

export interface HistoryState {
  rows: JobRowFragment[]
  /** jobs that have ended since, held back so that rows do not move under the reader's eyes */
  newer: number
  /** the next page of earlier jobs; null at the end */
  endCursor: string | null
  loading: boolean
  error: CombinedError | null
}

export interface HistoryStore extends PageStore<HistoryState> {
  loadOlder(): void
  readAgain(): void
  /** true: jobs that end are put on top at once; false: they are held back */
  follow(following: boolean): void
}

const cursorAfter = (page: { endCursor?: string | null; hasNextPage: boolean }): string | null =>
  page.hasNextPage ? (page.endCursor ?? null) : null

const nothing: HistoryState = { rows: [], newer: 0, endCursor: null, loading: true, error: null }

/** Ended jobs that match, last ended first: read by pages, and added to as more jobs end. */
export function createHistory(connection: Connection, filter: JobFilter): HistoryStore {
  /** counts the readings from the top: an answer to an earlier one is out of date */
  let latest = 0
  let fetchingOlder = false
  /** Jobs that end while the history is being read: the answer may not know them. */
  let meanwhile: JobRowFragment[] | null = null
  let following = true
  const held = new Map<string, JobRowFragment>()
  /** the rows are not all that is known: newer ones were missed, or older ones were let go */
  let incomplete = false
  let change: (step: (state: HistoryState) => HistoryState) => void = () => undefined

  const fetchPage = (after: string | null) =>
    connection.client
      .query(History, { filter, first: PAGE, after }, { requestPolicy: 'network-only' })
      .toPromise()

  const read = async (): Promise<void> => {
    const turn = ++latest
    meanwhile = []
    const { data, error } = await fetchPage(null)
    if (turn !== latest) return
    const since = meanwhile
    meanwhile = null
    if (!data) {
      change((state) => ({ ...state, loading: false, error: error ?? null }))
      return
    }
    held.clear()
    incomplete = false
    const rows = withNewer(data.history.nodes, since)
    change(() => ({
      ...nothing,
      rows,
      endCursor: cursorAfter(data.history.pageInfo),
      loading: false,
    }))
  }

  const loadOlder = async (after: string | null): Promise<void> => {
    if (after === null || fetchingOlder) return
    fetchingOlder = true
    const turn = latest
    const { data } = await fetchPage(after)
    fetchingOlder = false
    if (!data || turn !== latest) return
    const { nodes, pageInfo } = data.history
    const endCursor = cursorAfter(pageInfo)
    change((state) => ({ ...state, rows: withPage(state.rows, nodes), endCursor }))
  }

  const putOnTop = (jobs: JobRowFragment[]): void =>
    change((state) => {
      const rows = withNewer(state.rows, jobs)
      if (rows.length <= MAX_ROWS) return { ...state, rows, newer: 0 }
      incomplete = true
      return { ...state, rows: rows.slice(0, KEPT_ROWS), newer: 0, endCursor: null }
    })

  const hold = (jobs: JobRowFragment[]): void => {
    for (const job of jobs) if (held.size < MAX_HELD) held.set(job.id, job)
    incomplete ||= held.size === MAX_HELD
    change((state) => ({ ...state, newer: held.size }))
  }

  const follow = (next: boolean): void => {
    if (next === following) return
    following = next
    if (incomplete) void read()
    else if (following) putOnTop([...held.values()])
    if (following) held.clear()
  }

  const start = (changeState: typeof change): (() => void) => {
    change = changeState
    const stop = watchJobs(
      connection,
      filter,
      (jobs) => {
        meanwhile?.push(...jobs)
        if (following) putOnTop(jobs)
        else hold(jobs)
      },
      () => {
        if (following) void read()
        else incomplete = true
      },
    )
    void read()
    return () => {
      change = () => undefined
      stop()
    }
  }

  const store = createPageStore<HistoryState>(nothing, start)
  return {
    ...store,
    loadOlder: () => void loadOlder(store.snapshot().endCursor),
    readAgain: () => void read(),
    follow,
  }
}
