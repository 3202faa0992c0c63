import type pg from 'pg'
import { expect, test } from 'vitest'
import { claimJobs } from '../src/store/claim.ts'
import { completeJobs, type Completion } from '../src/store/complete.ts'
import type { Store } from '../src/store/open.ts'
import { peekJobs } from '../src/store/peek.ts'
import { insertJobs } from '../src/store/insert.ts'
import { registerNode } from '../src/store/nodes.ts'
import { openEmbeddedDatabase } from './databases.ts'
import { newJobs } from './new-jobs.ts'
import { claimOf, settlementOf } from './store-tools.ts'

interface PlanNode {
  'Node Type': string
  Plans?: PlanNode[]
}

const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)]

const goesThroughAllForEach = (node: PlanNode): boolean =>
  node['Node Type'] === 'Nested Loop' &&
  (node.Plans ?? []).some((input) => input['Node Type'] === 'Seq Scan')

/** How a statement would be carried out now. */
async function planOf(store: Store, work: (hot: pg.Pool) => Promise<unknown>): Promise<PlanNode[]> {
  const plans: PlanNode[] = []
  const explained = {
    async query({ text, values }: { text: string; values: unknown[] }) {
      const told = await store.hot.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
        `EXPLAIN (FORMAT JSON) ${text}`,
        values,
      )
      for (const row of told.rows) for (const { Plan } of row['QUERY PLAN']) plans.push(Plan)
      return { rows: [] }
    },
  }
  await work(explained as unknown as pg.Pool)
  return plans.flatMap(flatten)
}

// Its plans are not pinned, and follow what the last look at the table found: here, that nothing waited or ran.
test('claims and completions never go through all jobs for each of thousands', async () => {
  const { store, drop } = await openEmbeddedDatabase()
  const nodeId = '00000000-0000-7000-8000-000000000001'
  await registerNode(store, { id: nodeId, name: 'n', roles: [], workers: [], maxThreads: 2 })
  for (let round = 0; round < 6; round += 1) {
    for (let calls = 0; calls < 10; calls += 1)
      await insertJobs(store, newJobs(500), { queueLimit: 1e6 })
    const queued = await peekJobs(store, { limit: 5000, maxGang: 2, clusterMaxGang: 2 })
    const batches: Completion[][] = []
    for (let from = 0; from < queued.length; from += 834) {
      const claims = queued.slice(from, from + 834).map(claimOf)
      const plan = await planOf(store, (hot) => claimJobs({ ...store, hot }, nodeId, claims))
      expect(plan.filter(goesThroughAllForEach)).toEqual([])
      const claimed = await claimJobs(store, nodeId, claims)
      batches.push(
        claimed.map(({ job }) => settlementOf(job, { to: 'COMPLETED', result: '3' }) as Completion),
      )
    }
    for (const batch of batches) {
      const plan = await planOf(store, (hot) => completeJobs({ hot }, nodeId, batch))
      expect(plan.filter(goesThroughAllForEach)).toEqual([])
      await completeJobs(store, nodeId, batch)
    }
    if (round === 2) await store.pool.query('VACUUM (ANALYZE) job, node')
  }
  await drop()
})
