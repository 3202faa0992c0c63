import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../app.ts'
import { createServerDatabase } from '../databases.ts'
import { dropPrefix, newPrefix } from '../redis.ts'
import { startServerProcess, type ServerProcess } from '../server-process.ts'
import { havePostgres, haveRedis, redisUrl } from '../services.ts'

const LEASE_MS = 2_000
/** Several leases long, so that a heartbeat that comes late would be noticed. */
const SPIN_MS = 4 * LEASE_MS

const spin = `
import { defineJob } from 'heddle'
import { z } from 'zod'
export default defineJob({
  type: 'spin',
  payload: z.object({ ms: z.number() }),
  run({ ms }, { attempt }) {
    for (const until = Date.now() + ms; Date.now() < until; );
    return attempt
  },
})`

const ready = (await havePostgres()) && (await haveRedis())

describe.skipIf(!ready)('a node whose every core is busy', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-busy-'))
  const prefix = newPrefix()
  let database: { url: string; drop(): Promise<void> }
  let busy: ServerProcess
  let witness: TestApp
  beforeAll(async () => {
    writeFileSync(path.join(folder, 'spin.mjs'), spin)
    database = await createServerDatabase()
    const shared = {
      DATABASE_URL: database.url,
      REDIS_URL: redisUrl,
      KEY_PREFIX: prefix,
      JOBS_DIR: folder,
      LEASE_MS: String(LEASE_MS),
    }
    const threads = String(os.availableParallelism() * 2)
    busy = await startServerProcess({ ...shared, WORKER_1_THREADS: threads, WORKER_2_THREADS: '0' })
    witness = await startTestApp({ ...shared, ROLES: 'api' })
  })
  afterAll(async () => {
    busy.signal('SIGKILL')
    await busy.ended
    await witness.close()
    await database.drop()
    await dropPrefix(prefix)
    rmSync(folder, { recursive: true })
  })

  it('keeps its lease: no other node takes its jobs for lost', async () => {
    const jobs = Array.from({ length: os.availableParallelism() * 3 }, () => ({
      type: 'spin',
      payload: { ms: SPIN_MS },
    }))
    const { body } = await witness.post('/jobs/bulk', { jobs })
    const ids = (body as { jobs: { id: string }[] }).jobs.map(({ id }) => id)
    const ended = await Promise.all(ids.map((id) => witness.ended(id)))
    expect(ended.map(({ state, attempt }) => [state, attempt])).toEqual(
      ids.map(() => ['COMPLETED', 1]),
    )
    expect(busy.output()).not.toMatch(/declared dead|cannot be reached/)
  })
})
