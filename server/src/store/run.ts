import pg from 'pg'
import { toError } from '../core/errors.ts'
import { toStoreError } from './unavailable.ts'

/** What statements run on: the pool, or a client inside a transaction. */
export type Queryable = Pick<pg.Pool | pg.PoolClient, 'query'>

const DEADLOCK = '40P01'
const MAX_TRIES = 3

export interface Statement {
  /** prepared under this name on each connection; for hot statements */
  name?: string
  text: string
}

/**
 * Runs one statement. A deadlock rolls the whole statement back, so it is simply run again. Throws
 * STORE_UNAVAILABLE for failures that pass by themselves.
 */
export function run<Row extends pg.QueryResultRow>(
  on: Queryable,
  statement: Statement,
  values: unknown[] = [],
): Promise<Row[]> {
  return retried(on, async () => (await on.query<Row>({ ...statement, values })).rows)
}

/**
 * The same with each row as the list of its values, for statements that every job passes through. The driver
 * makes rows of all statements in one place, by a copy of an empty one: of that many shapes V8 knows no fast
 * way to do so, and a row of the queue took the server 3.5 µs in place of 2.6.
 */
export function runTuples<Row extends unknown[]>(
  on: Queryable,
  statement: Statement,
  values: unknown[],
): Promise<Row[]> {
  return retried(
    on,
    async () => (await on.query<Row>({ ...statement, values, rowMode: 'array' })).rows,
  )
}

async function retried<T>(on: Queryable, query: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await query()
    } catch (thrown) {
      const { code } = toError(thrown) as { code?: unknown }
      if (code !== DEADLOCK || tries === MAX_TRIES || !(on instanceof pg.Pool))
        throw toStoreError(thrown)
    }
  }
}

/** Runs `work` in one transaction. */
export async function transaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((thrown: unknown) => {
    throw toStoreError(thrown)
  })
  let broken: Error | undefined
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (thrown) {
    await client.query('ROLLBACK').catch((error: unknown) => (broken = toError(error)))
    throw toStoreError(thrown)
  } finally {
    // A connection that could not even roll back must not be used again.
    client.release(broken)
  }
}
