import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Completion } from '../src/core/transition.ts'
import { claimJobs } from '../src/store/claim.ts'
import { createMemoryCache } from '../src/store/cache/memory.ts'
import { heartbeat, lookAround, registerNode } from '../src/store/nodes.ts'
import type { Store } from '../src/store/open.ts'
import { peekJobs } from '../src/store/peek.ts'
import { promoteDue } from '../src/store/promote.ts'
import { createRead } from '../src/store/read.ts'
import { settleJobs } from '../src/store/settle.ts'
import { claimShortly } from '../src/store/short-claim.ts'
import { newJob } from './new-jobs.ts'
import { openServerDatabase, type TestDatabase } from './databases.ts'
import { plansOf as explain, type PlanNode } from './explain.ts'
import { havePostgres } from './services.ts'
import { claimOf, settlementOf } from './store-tools.ts'

const ROWS = 100_000
const nodeId = randomUUID()

/** Plans of what `work` runs, as they were carried out. */
const plansOf = (store: Store, work: (store: Store) => Promise<unknown>) =>
  explain(store, work, { carriedOut: true })

/** Rows of the job table that a plan touched, wherever it threw them away again. */
const touched = (plan: PlanNode[]): number =>
  plan
    .filter((node) => node['Relation Name']?.startsWith('job'))
    .reduce(
      (sum, node) =>
        Math.max(sum, (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)),
      0,
    )

/** What the planner may believe of the table: that is what makes plans go wrong. */
const beliefs: Record<string, (store: Store) => Promise<void>> = {
  'was never analyzed': async ({ pool }) => fill(pool),
  'was analyzed while it was empty': async ({ pool }) => {
    await pool.query('ANALYZE job')
    await fill(pool)
  },
  'was analyzed while all jobs ran': async ({ pool }) => {
    await fill(pool, 'RUNNING')
    await pool.query('ANALYZE job')
    await pool.query(`UPDATE job SET state = 'QUEUED', node_id = NULL`)
  },
  'was analyzed just now': async ({ pool }) => {
    await fill(pool)
    await pool.query('ANALYZE job')
  },
}

async function fill(pool: pg.Pool, state = 'QUEUED'): Promise<void> {
  await pool.query(
    `INSERT INTO job (id, name, type, priority, thread_demand, gang, state, rank, max_attempts,
       backoff, payload, created_at, run_at, node_id)
     SELECT heddle_job_id(), 'n', 'add_numbers', 0, 1, 1 + i % 4, $1::job_state, i % 7, 1,
       '{}', '{"a":1}', now(), now(), CASE WHEN $1 = 'RUNNING' THEN $3::uuid END
     FROM generate_series(1, $2) AS i`,
    [state, ROWS, nodeId],
  )
}

describe.runIf(await havePostgres())(`with ${ROWS} jobs queued`, () => {
  let database: TestDatabase
  let store: Store

  beforeAll(async () => {
    database = await openServerDatabase()
    store = database.store
    await store.pool.query('ALTER TABLE job SET (autovacuum_enabled = false)')
    await registerNode(store, { id: nodeId, name: 'n', roles: [], workers: [], maxThreads: 8 })
  })
  afterAll(() => database.drop())

  describe.each(Object.entries(beliefs))('and a table that %s', (belief, prepare) => {
    let ids: string[]

    beforeAll(async () => {
      await store.pool.query('TRUNCATE job')
      await prepare(store)
      const { rows } = await store.pool.query<{ id: string }>(
        'SELECT id FROM job ORDER BY random() LIMIT 500',
      )
      ids = rows.map(({ id }) => id)
    })

    test('a peek walks the index of queued jobs and sorts nothing', async () => {
      const options = { limit: 1000, maxGang: 4, clusterMaxGang: 4, types: ['add_numbers'] }
      const [plan] = await plansOf(store, (explained) => peekJobs(explained, options))
      expect(plan!.map((node) => node['Index Name']).filter(Boolean)).toEqual(['job_queued'])
      expect(plan!.some((node) => node['Node Type'].includes('Sort'))).toBe(false)
      expect(touched(plan!)).toBeLessThanOrEqual(1000)
    })

    test('claims and settlements find their rows by id', async () => {
      const [claim] = await plansOf(store, (explained) =>
        claimJobs(
          explained,
          nodeId,
          ids.map((id) => claimOf({ ...newJob().job, id })),
        ),
      )
      const settle = (outcome: Parameters<typeof settlementOf>[1]) =>
        plansOf(store, (explained) =>
          settleJobs(
            explained,
            nodeId,
            ids.map((id) => settlementOf({ ...newJob().job, id, attempt: 1 }, outcome)),
          ),
        )
      const [complete] = await settle({ to: 'COMPLETED', result: '3' })
      const [fail] = await settle({ to: 'FAILED', error: { name: 'Error', message: 'no' } })
      const claims = ids.map((id) => claimOf({ ...newJob().job, id }))
      const [claimed, ended] = await plansOf(store, async (explained) => {
        const { open } = await claimShortly(explained, nodeId, claims, 10_000)
        const completions = claims.map(({ job }) => settlementOf({ ...job, attempt: 1 }))
        await open.end(completions as Completion[], [])
      })
      for (const plan of [claim!, complete!, fail!, claimed!, ended!]) {
        const names = plan
          .map((node) => node['Index Name'])
          .filter((name) => name?.startsWith('job_'))
        expect(new Set(names)).toEqual(new Set(['job_pkey']))
        expect(touched(plan)).toBeLessThanOrEqual(500)
      }
    })

    // One who believes that nearly everything runs walks the primary key to find the first fifty.
    if (!belief.includes('all jobs ran')) {
      test('the list of running jobs touches few rows', async () => {
        const [plan] = await plansOf(store, (explained) =>
          createRead(explained, createMemoryCache()).active({ states: ['RUNNING'] }, { first: 50 }),
        )
        expect(touched(plan!)).toBeLessThanOrEqual(51)
      })
    }

    test('what is asked all the time touches few rows', async () => {
      const read = (explained: Store) => createRead(explained, createMemoryCache())
      const work: ((explained: Store) => Promise<unknown>)[] = [
        (explained) => heartbeat(explained, { id: nodeId, workers: [] }),
        (explained) => promoteDue(explained),
        (explained) => read(explained).active({}, { first: 50 }),
        (explained) => read(explained).active({ states: ['SCHEDULED'] }, { first: 50 }),
        (explained) => read(explained).job(ids[0]!),
      ]
      for (const one of work) {
        for (const plan of await plansOf(store, one)) expect(touched(plan)).toBeLessThanOrEqual(51)
      }
    })
  })

  test('what keeps a node alive touches few rows, however many of its jobs run', async () => {
    await store.pool.query('TRUNCATE job')
    await fill(store.pool, 'RUNNING')
    await store.pool.query('ANALYZE job')
    for (const one of [
      (explained: Store) => heartbeat(explained, { id: nodeId, workers: [] }),
      (explained: Store) => lookAround(explained, 3_600_000),
    ]) {
      for (const plan of await plansOf(store, one)) expect(touched(plan)).toBeLessThanOrEqual(51)
    }
  })

  test.each(['FAILED', 'CANCELLED'] as const)(
    'the page of the last %s ones touches few rows of history, however long ago they were',
    async (state) => {
      await store.pool.query(
        `INSERT INTO job_history (id, name, type, priority, thread_demand, gang, state, rank, attempt,
           max_attempts, backoff, attempts, payload, created_at, run_at, finished_at, total_time_ms)
         SELECT heddle_job_id(), 'n', 'add_numbers', 0, 1, 1,
           (CASE WHEN i <= 500 THEN $1 ELSE 'COMPLETED' END)::job_state, 0, 1, 1, '{}', '[]', '{}',
           now(), now(), now() + i * interval '1 ms', 1
         FROM generate_series(1, 20000) AS i`,
        [state],
      )
      await store.pool.query('ANALYZE job_history')
      const [plan] = await plansOf(store, (explained) =>
        createRead(explained, createMemoryCache()).history({ states: [state] }, { first: 50 }),
      )
      expect(touched(plan!)).toBeLessThanOrEqual(51)
    },
  )
})
