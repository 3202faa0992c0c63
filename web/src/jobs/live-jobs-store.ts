import type { CombinedError } from 'urql'
import type { Connection } from '../graphql/connection.ts'
import { watchJobs } from '../graphql/feed.ts'
import { graphql } from '../graphql/generated/index.ts'
import type { JobFilter, JobRowFragment, JobState } from '../graphql/generated/graphql.ts'
import { createPageStore, type PageStore } from '../graphql/page-store.ts'
import {
  fromPage,
  noJobs,
  withChanges,
  withOlder,
  withoutEnded,
  type JobPage,
  type LiveJobs,
} from './live-jobs.ts'

const PAGE = 200
const SWEEP_MS = 1_000

/** The running ones are asked for by themselves: a long queue would push them off the first page. */
const ActiveJobs = graphql(`
  query ActiveJobs(
    $running: JobFilter!
    $filter: JobFilter!
    $first: Int!
    $withRunning: Boolean!
  ) {
    running: jobs(filter: $running, first: $first) @include(if: $withRunning) {
      nodes {
        ...JobRow
      }
    }
    jobs(filter: $filter, first: $first) {
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

const OlderJobs = graphql(`
  query OlderJobs($filter: JobFilter!, $first: Int!, $after: String!) {
    jobs(filter: $filter, first: $first, after: $after) {
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

export interface LiveJobsState {
  live: LiveJobs
  loading: boolean
  error: CombinedError | null
}

export interface LiveJobsStore extends PageStore<LiveJobsState> {
  loadOlder(): void
  readAgain(): void
}

interface Page {
  nodes: JobRowFragment[]
  pageInfo: { endCursor?: string | null; hasNextPage: boolean }
}

const toPage = ({ nodes, pageInfo }: Page): JobPage => ({
  jobs: nodes,
  endCursor: pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null,
})

/** The active jobs that match, kept up to date: read once, then changed by events. */
export function createLiveJobs(
  connection: Connection,
  filter: JobFilter,
  shown: readonly JobState[],
): LiveJobsStore {
  const { client } = connection
  const inStates = { ...filter, states: [...shown] }
  /** Changes that come while the jobs are being read: newer than what the answer says. */
  let meanwhile: JobRowFragment[] | null = null
  /** what is being read may be out of date by now */
  let outdated = false
  let fetchingOlder = false
  let change: (step: (state: LiveJobsState) => LiveJobsState) => void = () => undefined
  const changeLive = (step: (live: LiveJobs) => LiveJobs): void =>
    change((state) => {
      const live = step(state.live)
      return live === state.live ? state : { ...state, live }
    })

  const read = async (): Promise<void> => {
    if (meanwhile) {
      outdated = true
      return
    }
    outdated = false
    meanwhile = []
    const variables = {
      filter: inStates,
      running: { ...filter, states: ['RUNNING' as const] },
      first: PAGE,
      withRunning: shown.length > 1,
    }
    const { data, error } = await client
      .query(ActiveJobs, variables, { requestPolicy: 'network-only' })
      .toPromise()
    const since = meanwhile
    meanwhile = null
    if (outdated) void read()
    if (!data) {
      change((state) => ({ ...state, loading: false, error: error ?? null }))
      return
    }
    const page = toPage(data.jobs)
    const jobs = [...page.jobs, ...(data.running?.nodes ?? [])]
    const live = withChanges(fromPage({ ...page, jobs }), since, shown, Date.now())
    change(() => ({ live, loading: false, error: null }))
  }

  const loadOlder = async (after: string | null): Promise<void> => {
    if (after === null || fetchingOlder) return
    fetchingOlder = true
    const variables = { filter: inStates, first: PAGE, after }
    const { data } = await client.query(OlderJobs, variables).toPromise()
    fetchingOlder = false
    if (data) changeLive((live) => withOlder(live, toPage(data.jobs)))
  }

  const start = (changeState: typeof change): (() => void) => {
    change = changeState
    const stopWatching = watchJobs(
      connection,
      filter,
      (jobs) => {
        meanwhile?.push(...jobs)
        changeLive((live) => withChanges(live, jobs, shown, Date.now()))
      },
      () => void read(),
    )
    const sweeping = setInterval(() => {
      const { live } = store.snapshot()
      changeLive((now) => withoutEnded(now, Date.now()))
      if (live.overflown && live.rows.size < PAGE) void read()
    }, SWEEP_MS)
    void read()
    return () => {
      change = () => undefined
      stopWatching()
      clearInterval(sweeping)
    }
  }

  const store = createPageStore<LiveJobsState>({ live: noJobs, loading: true, error: null }, start)
  return {
    ...store,
    loadOlder: () => void loadOlder(store.snapshot().live.endCursor),
    readAgain: () => void read(),
  }
}
