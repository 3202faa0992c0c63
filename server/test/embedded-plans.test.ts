import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimJobs } from '../src/store/claim.ts'
import { insertJobs } from '../src/store/insert.ts'
import { registerNode } from '../src/store/nodes.ts'
import { peekJobs } from '../src/store/peek.ts'
import { settleJobs } from '../src/store/settle.ts'
import { openEmbeddedDatabase, type TestDatabase } from './databases.ts'
import { plansOf, type PlanNode } from './explain.ts'
import { newJobs } from './new-jobs.ts'
import { claimOf, settlementOf, type Outcome } from './store-tools.ts'

const nodeId = '00000000-0000-7000-8000-000000000001'
const error = { name: 'Error', message: 'no' }

const goesThroughAllForEach = (node: PlanNode): boolean =>
  node['Node Type'] === 'Nested Loop' &&
  (node.Plans ?? []).some((input) => input['Node Type'] === 'Seq Scan')

let database: TestDatabase
beforeAll(async () => {
  database = await openEmbeddedDatabase()
  const node = { id: nodeId, name: 'n', roles: [], workers: [], maxThreads: 2 }
  await registerNode(database.store, node)
})
afterAll(() => database.drop())

// Its plans are not pinned, and follow what the last look at the table found: here, that nothing waited or ran.
test.each<[string, Outcome]>([
  ['complete', { to: 'COMPLETED', result: '3' }],
  ['fail', { to: 'FAILED', error }],
  ['go back to the queue', { to: 'SCHEDULED', error, runAt: 0 }],
])('jobs are claimed and %s, and no statement goes through all for each', async (_, outcome) => {
  const { store } = database
  const badSteps = async (work: (explained: typeof store) => Promise<unknown>) =>
    (await plansOf(store, work)).flat().filter(goesThroughAllForEach)

  await store.pool.query('TRUNCATE job')
  for (let round = 0; round < 6; round += 1) {
    for (let calls = 0; calls < 10; calls += 1)
      await insertJobs(store, newJobs(500), { queueLimit: 1e6 })
    const queued = await peekJobs(store, { limit: 5000, maxGang: 2, clusterMaxGang: 2 })
    const batches = []
    for (let from = 0; from < queued.length; from += 834) {
      const claims = queued.slice(from, from + 834).map(claimOf)
      expect(await badSteps((explained) => claimJobs(explained, nodeId, claims))).toEqual([])
      const claimed = await claimJobs(store, nodeId, claims)
      batches.push(claimed.map(({ job }) => settlementOf(job, outcome)))
    }
    for (const batch of batches) {
      expect(await badSteps((explained) => settleJobs(explained, nodeId, batch))).toEqual([])
      const { settled } = await settleJobs(store, nodeId, batch)
      expect(settled.length).toBe(batch.length)
    }
    if (round === 2) await store.pool.query('VACUUM (ANALYZE) job, node')
  }
})
