import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createServerDatabase } from './databases.ts'
import { havePostgres } from './services.ts'
import { useTimedJobs } from './timed-jobs.ts'

/** Notes how each state of a job came into the table. */
const logWrites = `
CREATE TABLE written (job_id uuid, how text, n serial);
CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO written VALUES (NEW.id, TG_OP || ' ' || NEW.state);
  RETURN NULL;
END $$;
CREATE TRIGGER note_write AFTER INSERT OR UPDATE ON job FOR EACH ROW EXECUTE FUNCTION note_write()`

describe.runIf(await havePostgres())('a node with nothing to do', () => {
  const timed = useTimedJobs()
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let client: pg.Client
  beforeAll(async () => {
    database = await createServerDatabase()
    client = new pg.Client({ connectionString: database.url })
    await client.connect()
  })
  afterAll(async () => {
    await client.end()
    await database.drop()
  })
  beforeEach(async () => {
    await timed.start({
      ...{ DATABASE_URL: database.url, WORKER_1_THREADS: '2', WORKER_2_THREADS: '0' },
    })
    // Before its first look at the table it does not know that nothing waits.
    await timed.app.ended(await timed.submit({ type: 'nap', payload: { ms: 1 } }))
    await client.query('DROP TABLE IF EXISTS written; DROP FUNCTION IF EXISTS note_write CASCADE')
    await client.query(logWrites)
  })

  const writes = async (id: string): Promise<string[]> => {
    const { rows } = await client.query<{ how: string }>(
      'SELECT how FROM written WHERE job_id = $1 ORDER BY n',
      [id],
    )
    return rows.map(({ how }) => how)
  }

  it('starts a job with the write that stores it', async () => {
    const id = await timed.submit({ type: 'nap', payload: { ms: 1 } })
    expect(await timed.app.ended(id)).toMatchObject({ state: 'COMPLETED', attempt: 1, width: 1 })
    expect(await writes(id)).toEqual(['INSERT RUNNING'])
  })

  it('starts the best of what comes at once, and lets the others wait', async () => {
    const { payload, open } = timed.gate('best')
    const jobs = [0, 1, 2].map((priority) => ({ type: 'gate', priority, payload }))
    const [low, middle, high] = await timed.submitAll(jobs)
    expect(await writes(high!)).toEqual(['INSERT RUNNING'])
    expect(await writes(middle!)).toEqual(['INSERT RUNNING'])
    expect(await writes(low!)).toEqual(['INSERT QUEUED'])
    open()
    expect(await timed.app.ended(low!)).toMatchObject({ state: 'COMPLETED' })
    expect(await writes(low!)).toEqual(['INSERT QUEUED', 'UPDATE RUNNING'])
  })

  it('starts nothing past a job that waits for all of its threads', async () => {
    const { payload, open } = timed.gate('passed')
    await timed.submit({ type: 'gate', payload })
    const wide = await timed.submit({ type: 'wide', thread_demand: 2, payload: { ms: 1 } })
    const small = await timed.submit({ type: 'nap', payload: { ms: 1 } })
    expect(await writes(small)).toEqual(['INSERT QUEUED'])
    open()
    const [first, second] = [await timed.app.ended(wide), await timed.app.ended(small)]
    expect(Date.parse(String(first['started_at']))).toBeLessThanOrEqual(
      Date.parse(String(second['started_at'])),
    )
  })

  it('stores a job with an idempotency key first, for its key may be known', async () => {
    const job = { type: 'nap', payload: { ms: 1 }, idempotency_key: 'once' }
    const id = await timed.submit(job)
    await timed.app.ended(id)
    expect(await writes(id)).toEqual(['INSERT QUEUED', 'UPDATE RUNNING'])
    expect((await timed.app.post('/jobs', job)).body).toMatchObject({ id, state: 'COMPLETED' })
  })
})
