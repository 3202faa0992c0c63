import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { insertJobs } from '../src/store/insert.ts'
import { openStore } from '../src/store/open.ts'
import { createServerDatabase } from './databases.ts'
import { newJob } from './new-jobs.ts'
import { havePostgres } from './services.ts'

const root = path.resolve(import.meta.dirname, '../..')

describe.runIf(await havePostgres())('the migrations', () => {
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  beforeEach(async () => {
    database = await createServerDatabase()
  })
  afterEach(() => database.drop())

  const prisma = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [path.join(root, 'tools/prisma.mjs'), ...args],
      { cwd: root, env: { ...process.env, DATABASE_URL: database.url } },
    )
    return stdout
  }
  const start = async (): Promise<void> => {
    const store = await openStore({ url: database.url, dataDir: '' })
    await store.close()
  }

  test('make the tables that schema.prisma describes', async () => {
    const from = ['--from-migrations', 'prisma/migrations']
    const to = ['--to-schema', 'prisma/schema.prisma']
    const said = await prisma('migrate', 'diff', ...from, ...to, '--exit-code')
    expect(said).toContain('No difference detected')
  })

  test('can be applied by the server first and looked after by prisma then', async () => {
    await start()
    expect(await prisma('migrate', 'status')).toContain('Database schema is up to date')
    expect(await prisma('migrate', 'deploy')).toContain('No pending migrations')
  })

  test('can be applied by prisma first and taken over by the server then', async () => {
    expect(await prisma('migrate', 'deploy')).toContain('successfully applied')
    await start()
  })

  test('have payloads compressed by LZ4 where the server was built with it', async () => {
    const store = await openStore({ url: database.url, dataDir: '' })
    await insertJobs(store, [newJob({ payload: { text: 'x'.repeat(10_000) } })], { queueLimit: 10 })
    const { rows } = await store.pool.query(
      `SELECT pg_column_compression(payload) AS used, enumvals FROM job, pg_settings
       WHERE pg_settings.name = 'default_toast_compression'`,
    )
    await store.close()
    const [{ used, enumvals }] = rows as [{ used: string; enumvals: string[] }]
    expect(used).toBe(enumvals.includes('lz4') ? 'lz4' : 'pglz')
  })
})
