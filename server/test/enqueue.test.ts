import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from './app.ts'
import { createServerDatabase } from './databases.ts'
import { havePostgres } from './services.ts'

const jobTypes = `
import { defineJob } from 'heddle'
import { z } from 'zod'
export default [
  defineJob({
    type: 'weekday',
    payload: z.object({ day: z.coerce.date(), language: z.string().default('en') }),
    run: ({ day, language }) => day.toLocaleDateString(language, { weekday: 'long', timeZone: 'UTC' }),
  }),
  defineJob({
    type: 'hopeless',
    payload: z.object({}),
    run() { throw Object.assign(new Error('no such customer'), { retryable: false }) },
  }),
]`

describe.skipIf(!(await havePostgres()))('a job enqueued by SQL', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-enqueue-'))
  let app: TestApp
  let database: { url: string; drop(): Promise<void> }
  let client: pg.Client
  beforeAll(async () => {
    writeFileSync(path.join(folder, 'types.mjs'), jobTypes)
    database = await createServerDatabase()
    app = await startTestApp({ DATABASE_URL: database.url, JOBS_DIR: folder })
    client = new pg.Client({ connectionString: database.url })
    await client.connect()
  })
  afterAll(async () => {
    await client.end()
    await app.close()
    await database.drop()
    rmSync(folder, { recursive: true })
  })

  const enqueue = async (type: string, payload: unknown): Promise<string> => {
    const { rows } = await client.query<{ id: string }>('SELECT heddle_enqueue($1, $2) AS id', [
      type,
      JSON.stringify(payload),
    ])
    return rows[0]?.id ?? ''
  }

  it('runs when the transaction commits, and never was when it rolls back', async () => {
    await client.query('BEGIN')
    const undone = await enqueue('add_numbers', { a: 1, b: 1 })
    await client.query('ROLLBACK')
    await client.query('BEGIN')
    const done = await enqueue('add_numbers', { a: 13, b: 42 })
    expect((await app.get(`/jobs/${done}`)).status).toBe(404)
    await client.query('COMMIT')

    expect(await app.ended(done)).toMatchObject({ state: 'COMPLETED', result: 55 })
    expect((await app.get(`/jobs/${undone}`)).status).toBe(404)
  })

  it('fails at once where its payload does not fit the type: another attempt would not help', async () => {
    const job = await app.ended(await enqueue('add_numbers', { a: 'one', c: 2 }))
    expect(job).toMatchObject({ state: 'FAILED', attempt: 1, error: { code: 'INVALID_PAYLOAD' } })
    expect(job.error?.message).toMatch(/"add_numbers".* a: .*number/)
  })

  it('gets what the schema makes of its payload, as a submitted job does', async () => {
    const payload = { day: '2026-11-23T12:00:00Z' }
    const { body } = await app.post('/jobs', { type: 'weekday', payload })
    const { id } = body as { id: string }
    expect(await app.ended(id)).toMatchObject({ result: 'Monday', payload })
    expect(await app.ended(await enqueue('weekday', payload))).toMatchObject({ result: 'Monday' })
  })

  it('is not tried again where the job says that this is no use', async () => {
    const { body } = await app.post('/jobs', { type: 'hopeless', name: randomUUID() })
    const { id } = body as { id: string }
    expect(await app.ended(id)).toMatchObject({
      state: 'FAILED',
      attempt: 1,
      error: { message: 'no such customer' },
    })
  })
})
