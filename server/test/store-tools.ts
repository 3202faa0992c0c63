import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import type { Job } from '../src/core/job.ts'
import type { Settlement } from '../src/core/transition.ts'
import { createMemoryCache } from '../src/store/cache/memory.ts'
import { claimJobs, type Claim } from '../src/store/claim.ts'
import { findJobs } from '../src/store/find.ts'
import { insertJobs, type InsertResult, type NewJob } from '../src/store/insert.ts'
import { registerNode } from '../src/store/nodes.ts'
import type { Store } from '../src/store/open.ts'
import { createRead, type Read } from '../src/store/read.ts'
import { settleJobs } from '../src/store/settle.ts'
import { databases, emptyTables, type TestDatabase } from './databases.ts'

const kinds = await databases()

/** One of each kind per test file, opened when first needed. */
const opened = new Map<string, Promise<TestDatabase>>()
afterAll(async () => {
  for (const database of opened.values()) await (await database).drop()
})

/** What tests of the store do again and again. */
export interface StoreTools {
  readonly store: Store
  readonly database: TestDatabase
  readonly read: Read
  insert(...jobs: NewJob[]): Promise<InsertResult[]>
  /** registers a node and gives its id */
  node(id?: string): Promise<string>
  /** claims the jobs on one thread each */
  claim(nodeId: string, ...jobs: (NewJob | string)[]): Promise<Job[]>
  /** inserts, claims and ends a job */
  finish(nodeId: string, job: NewJob, outcome?: Outcome): Promise<Job>
}

/** What a settlement may say beside what the job itself does. */
export type Outcome = { to: string; startedAt?: number; finishedAt?: number } & Record<
  string,
  unknown
>

/** On one thread. */
export const claimOf = (job: Job): Claim => ({
  job,
  workerName: 'worker-1',
  width: 1,
  widthReason: 'AS_DEMANDED',
})

/** The settlement of a claimed job; COMPLETED unless said otherwise. */
export function settlementOf(job: Job, outcome: Outcome = { to: 'COMPLETED', result: '3' }) {
  const at = { startedAt: job.startedAt ?? 0, finishedAt: job.startedAt ?? 0, ...outcome }
  const attempt = {
    number: job.attempt,
    nodeId: job.nodeId ?? '',
    workerName: job.workerName,
    startedAt: at.startedAt,
    finishedAt: at.finishedAt,
    error: 'error' in at ? at.error : null,
  }
  const attempts = at.to === 'QUEUED' ? job.attempts : [...job.attempts, attempt]
  return { job, id: job.id, attempt: job.attempt, attempts, ...at } as unknown as Settlement
}

/** The same suite on the embedded database and on PostgreSQL; tables are empty before each test. */
export function onEveryDatabase(title: string, suite: (tools: StoreTools) => void): void {
  describe.each(kinds)(`${title} on $kind`, ({ kind, open }) => {
    let database: TestDatabase
    beforeAll(async () => {
      const opening = opened.get(kind) ?? open()
      opened.set(kind, opening)
      database = await opening
    })
    beforeEach(() => emptyTables(database.store))
    suite(createTools(() => database))
  })
}

function createTools(current: () => TestDatabase): StoreTools {
  const tools: StoreTools = {
    get database() {
      return current()
    },
    get store() {
      return current().store
    },
    get read() {
      return createRead(current().store, createMemoryCache())
    },
    insert: (...jobs) => insertJobs(tools.store, jobs, { queueLimit: 1_000_000_000 }),
    async node(id = randomUUID()) {
      await registerNode(tools.store, { id, name: 'n', roles: [], workers: [], maxThreads: 8 })
      return id
    },
    async claim(nodeId, ...jobs) {
      const ids = jobs.map((job) => (typeof job === 'string' ? job : job.job.id))
      const found = await findJobs(tools.store, ids)
      const queued = ids.flatMap((id) => found.get(id) ?? [])
      const claimed = await claimJobs(tools.store, nodeId, queued.map(claimOf))
      return claimed.map(({ job }) => job)
    },
    async finish(nodeId, job, outcome) {
      await tools.insert(job)
      const [claimed] = await tools.claim(nodeId, job)
      const { settled } = await settleJobs(tools.store, nodeId, [settlementOf(claimed!, outcome)])
      return settled[0]!
    },
  }
  return tools
}
