import { isFinal, type Job } from '../core/job.ts'
import {
  activeCursor,
  historyCursor,
  readActiveCursor,
  readHistoryCursor,
  type HistoryKey,
} from './cursor.ts'
import { createConditions, type Conditions, type JobFilter } from './filter.ts'
import type { Store } from './open.ts'
import { historyColumns, jobColumns, timestamp, toJob, type JobRow } from './rows.ts'
import { run } from './run.ts'

export interface Page<T> {
  items: { node: T; cursor: string }[]
  hasNext: boolean
  hasPrevious: boolean
  /** counts all that fit the filter: as slow as they are many */
  totalCount(): Promise<number>
}

export interface ForwardPage {
  first: number
  after?: string | null
}
/** `first` with `after` goes forward, `last` with `before` goes back */
export type ActivePage = ForwardPage | { last: number; before?: string | null }

/** Jobs that have not ended, last submitted first. INVALID_CURSOR, STORE_UNAVAILABLE. */
export async function activePage(
  store: Store,
  filter: JobFilter,
  page: ActivePage,
): Promise<Page<Job>> {
  const conditions = createConditions(within(filter, (state) => !isFinal(state)))
  const totalCount = counter(store, 'job', conditions)
  const backward = 'last' in page
  const size = backward ? page.last : page.first
  const from = backward ? page.before : page.after
  if (from) {
    conditions.add((p) => `id ${backward ? '>' : '<'} ${p}::uuid`, readActiveCursor(from))
  }
  const rows = await run<JobRow>(
    store.pool,
    {
      text: `SELECT ${jobColumns()} FROM job ${conditions.where()}
        ORDER BY id ${backward ? 'ASC' : 'DESC'} LIMIT ${size + 1}`,
    },
    conditions.values,
  )
  const more = rows.length > size
  const jobs = rows.slice(0, size).map(toJob)
  if (backward) jobs.reverse()
  return {
    items: jobs.map((node) => ({ node, cursor: activeCursor(node.id) })),
    hasNext: backward ? Boolean(from) : more,
    hasPrevious: backward ? more : Boolean(from),
    totalCount,
  }
}

/** Ended jobs, last finished first. INVALID_CURSOR, STORE_UNAVAILABLE. */
export async function historyPage(
  store: Store,
  filter: JobFilter,
  { first, after }: ForwardPage,
): Promise<Page<Job>> {
  const conditions = createConditions(within(filter, isFinal))
  const totalCount = counter(store, 'job_history', conditions)
  if (after) addKeyset(conditions, readHistoryCursor(after))
  const rows = await run<JobRow>(
    store.pool,
    {
      text: `SELECT ${historyColumns()} FROM job_history ${conditions.where()}
        ORDER BY finished_at DESC, id DESC LIMIT ${first + 1}`,
    },
    conditions.values,
  )
  const jobs = rows.slice(0, first).map(toJob)
  return {
    items: jobs.map((node) => ({
      node,
      cursor: historyCursor({ finishedAt: node.finishedAt ?? 0, id: node.id }),
    })),
    hasNext: rows.length > first,
    hasPrevious: Boolean(after),
    totalCount,
  }
}

function addKeyset(conditions: Conditions, { finishedAt, id }: HistoryKey): void {
  let at = ''
  conditions.add((p) => `finished_at <= ${(at = timestamp(`${p}::float8`))}`, finishedAt)
  conditions.add((p) => `(finished_at, id) < (${at}, ${p}::uuid)`, id)
}

/** States of the other table fit no row of this one; asking for only those gives an empty page. */
const within = (filter: JobFilter, here: (state: Job['state']) => boolean): JobFilter =>
  filter.states ? { ...filter, states: filter.states.filter(here) } : filter

function counter(
  store: Store,
  table: 'job' | 'job_history',
  conditions: Conditions,
): () => Promise<number> {
  const text = `SELECT count(*)::float8 AS count FROM ${table} ${conditions.where()}`
  const values = [...conditions.values]
  return async () => (await run<{ count: number }>(store.pool, { text }, values))[0]?.count ?? 0
}
