/** What the API may ask of the store: the one file of this folder that `api/` imports. */
import type { ActiveState, Job } from '../core/job.ts'
import type { JobCache } from './cache/cache.ts'
import { isUuid } from './cursor.ts'
import type { JobFilter } from './filter.ts'
import { findJobs } from './find.ts'
import { readMetrics, type MetricsRow } from './metrics.ts'
import type { Store } from './open.ts'
import { activePage, historyPage, type ActivePage, type ForwardPage, type Page } from './pages.ts'
import { run, type Statement } from './run.ts'

export type { ActivePage, ForwardPage, JobFilter, MetricsRow, Page }

export interface Documents {
  /** JSON texts */
  payload: string
  result: string | null
}

/** Every method may throw STORE_UNAVAILABLE. */
export interface Read {
  /** from the cache, the queue or history; null where nobody knows the id, or it is none */
  job(id: string): Promise<Job | null>
  /** from the tables, by id; unknown ids are absent */
  jobs(ids: string[]): Promise<Map<string, Job>>
  /** payloads and results, which may be large, by id in one round trip; unknown ids are absent */
  documents(ids: string[]): Promise<Map<string, Documents>>
  /** jobs that have not ended, last submitted first; INVALID_CURSOR */
  active(filter: JobFilter, page: ActivePage): Promise<Page<Job>>
  /** ended jobs, last finished first; INVALID_CURSOR */
  history(filter: JobFilter, page: ForwardPage): Promise<Page<Job>>
  /** may be a second old, or more where counting takes long */
  counts(): Promise<Record<ActiveState, number>>
  /** ended jobs per minute and type within the last `windowMs` */
  metrics(windowMs: number): Promise<MetricsRow[]>
}

export function createRead(store: Store, cache: JobCache): Read {
  return {
    async job(id) {
      if (!isUuid(id)) return null
      const key = id.toLowerCase()
      return (await cache.get(key)) ?? (await findJobs(store, [key])).get(key) ?? null
    },
    jobs: (ids) => findJobs(store, ids.filter(isUuid)),
    documents: (ids) => documents(store, ids.filter(isUuid)),
    active: (filter, page) => activePage(store, filter, page),
    history: (filter, page) => historyPage(store, filter, page),
    counts: createCounts(store),
    metrics: (windowMs) => readMetrics(store, windowMs),
  }
}

const findDocuments: Statement = {
  name: 'find-documents',
  text: `SELECT id, payload::text, NULL::text AS result FROM job WHERE id = ANY($1::uuid[])
    UNION ALL
    SELECT id, payload::text, result::text FROM job_history WHERE id = ANY($1::uuid[])`,
}

async function documents(store: Store, ids: string[]): Promise<Map<string, Documents>> {
  if (ids.length === 0) return new Map()
  const rows = await run<{ id: string } & Documents>(store.pool, findDocuments, [ids])
  return new Map(rows.map(({ id, payload, result }) => [id, { payload, result }]))
}

const COUNTS_AGE_MS = 1_000
/** Counting takes at most this share of the time, however long the queue. */
const COUNTS_SHARE = 0.05

function createCounts(store: Store): Read['counts'] {
  let known: Promise<Record<ActiveState, number>> | null = null
  let goodUntil = 0

  const count = async (): Promise<Record<ActiveState, number>> => {
    const startedAt = performance.now()
    const rows = await run<{ state: ActiveState; count: number }>(store.pool, {
      text: 'SELECT state, count(*)::float8 AS count FROM job GROUP BY state',
    })
    const tookMs = performance.now() - startedAt
    goodUntil = performance.now() + Math.max(COUNTS_AGE_MS, tookMs / COUNTS_SHARE)
    const counts = { SCHEDULED: 0, QUEUED: 0, RUNNING: 0 }
    for (const row of rows) counts[row.state] = row.count
    return counts
  }

  return () => {
    if (!known || performance.now() > goodUntil) {
      goodUntil = Infinity
      known = count().catch((error: unknown) => {
        known = null
        throw error
      })
    }
    return known
  }
}
