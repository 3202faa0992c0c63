import pg from 'pg'
import type { Store } from '../src/store/open.ts'

/** A step of a plan, as `EXPLAIN (FORMAT JSON)` tells it. */
export interface PlanNode {
  'Node Type': string
  'Index Name'?: string
  'Relation Name'?: string
  /** where it was carried out */
  'Actual Rows'?: number
  'Rows Removed by Filter'?: number
  Plans?: PlanNode[]
}

const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)]

interface Planned {
  text: string
  values: unknown[]
}

/**
 * All steps of each statement that `work` runs on the store it is given, which changes nothing and answers with no
 * rows. `carriedOut`: as they were done, not only planned. On a server those of the hot connections are planned
 * without their values, as these do.
 */
export async function plansOf(
  store: Store,
  work: (store: Store) => Promise<unknown>,
  { carriedOut = false } = {},
): Promise<PlanNode[][]> {
  const plans: PlanNode[][] = []
  const explain = `EXPLAIN (${carriedOut ? 'ANALYZE, ' : ''}FORMAT JSON)`
  const explaining = (pool: pg.Pool, pinned = false) => ({
    // A transaction in which nothing is changed: what begins and ends one has no plan.
    connect: () =>
      Promise.resolve({
        ...{ on() {}, off() {}, release() {} },
        query: async (query: string | Planned) =>
          typeof query === 'string' ? { rows: [] } : explaining(pool, pinned).query(query),
      }),
    async query({ text, values }: Planned) {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        if (pinned) await client.query(`PREPARE pinned AS ${text}`)
        const given = values.map((value) => pg.escapeLiteral(String(value))).join()
        const { rows } = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>({
          text: `${explain} ${pinned ? `EXECUTE pinned(${given})` : text}`,
          values: pinned ? [] : values,
        })
        if (pinned) await client.query('DEALLOCATE pinned')
        plans.push(flatten(rows[0]!['QUERY PLAN'][0]!.Plan))
        await client.query('ROLLBACK')
      } finally {
        client.release()
      }
      return { rows: [] }
    },
  })
  const pools = {
    pool: explaining(store.pool),
    hot: explaining(store.hot, store.kind === 'postgres'),
  }
  await work({ ...store, ...(pools as unknown as Pick<Store, 'pool' | 'hot'>) })
  return plans
}
