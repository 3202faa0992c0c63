import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../app.ts'
import { createServerDatabase } from '../databases.ts'
import { havePostgres } from '../services.ts'

const JOBS = 20_000
/** What the settler lets wait, two claims for two threads, and what the threads have and get next. */
const MOST = 3000 + 2 * 2000 + 4 * 1000

describe.runIf(await havePostgres())('a database that is slow to store results', () => {
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let admin: pg.Client
  let app: TestApp
  beforeEach(async () => {
    database = await createServerDatabase()
    app = await startTestApp({ DATABASE_URL: database.url })
    admin = new pg.Client({ connectionString: database.url })
    await admin.connect()
  })
  afterEach(async () => {
    await app.close()
    await admin.end()
    await database.drop()
  })

  const count = async (table: string, state: string): Promise<number> => {
    const { rows } = await admin.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${table} WHERE state = $1`,
      [state],
    )
    return rows[0]!.count
  }

  it('is not outrun: no more jobs start than the node can hold the results of', async () => {
    await admin.query(`
      CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END';
      CREATE TRIGGER slowly BEFORE INSERT ON job_history FOR EACH STATEMENT EXECUTE FUNCTION slowly()`)
    const requests = Array.from({ length: JOBS }, (_, n) => ({
      type: 'add_numbers',
      payload: { a: n, b: 1 },
    }))
    await app.app.scheduler.submit(requests)
    let most = 0
    for (let ended = 0; ended < JOBS / 2; ended = await count('job_history', 'COMPLETED'))
      most = Math.max(most, await count('job', 'RUNNING'))
    expect(most).toBeLessThanOrEqual(MOST)
    await admin.query('DROP TRIGGER slowly ON job_history')
    while ((await count('job_history', 'COMPLETED')) < JOBS);
  })
})
