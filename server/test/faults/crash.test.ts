import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RestJob } from '../app.ts'
import { startServerProcess, type ServerProcess } from '../server-process.ts'

/** Slow enough that some of them run when the process is killed. */
const slowJob = `
import { defineJob } from 'heddle'
import { z } from 'zod'
export default defineJob({
  type: 'slow',
  payload: z.object({ n: z.number() }),
  async run({ n }) { await new Promise((resolve) => setTimeout(resolve, 50)); return n },
})`

describe('a server on the embedded database', () => {
  let folder: string
  let servers: ServerProcess[] = []
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-crash-'))
    writeFileSync(path.join(folder, 'slow.ts'), slowJob)
  })
  afterEach(async () => {
    for (const server of servers) server.signal('SIGKILL')
    await Promise.all(servers.map((server) => server.ended))
    servers = []
    rmSync(folder, { recursive: true, force: true })
  })

  const start = async (): Promise<ServerProcess> => {
    const server = await startServerProcess({
      DATA_DIR: path.join(folder, 'data'),
      JOBS_DIR: folder,
      WORKER_1_THREADS: '2',
      WORKER_2_THREADS: '0',
    })
    servers.push(server)
    return server
  }
  const submit = async ({ url }: ServerProcess, count: number): Promise<string[]> => {
    const jobs = Array.from({ length: count }, (_, n) => ({ type: 'slow', payload: { n } }))
    const response = await fetch(`${url}/jobs/bulk`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jobs }),
    })
    expect(response.status).toBe(201)
    const answer = (await response.json()) as { jobs: RestJob[] }
    return answer.jobs.map(({ id }) => id)
  }
  const state = async ({ url }: ServerProcess, id: string): Promise<string> => {
    const response = await fetch(`${url}/jobs/${id}`)
    return ((await response.json()) as RestJob).state
  }
  const allEnded = async (server: ServerProcess, ids: string[]): Promise<string[]> => {
    for (;;) {
      const states = await Promise.all(ids.map((id) => state(server, id)))
      if (states.every((each) => ['COMPLETED', 'FAILED', 'CANCELLED'].includes(each))) return states
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  it('brings every accepted job to its outcome after kill -9 and a restart on the same folder', async () => {
    const first = await start()
    const ids = await submit(first, 60)
    while ((await state(first, ids[4] ?? '')) !== 'COMPLETED') await new Promise(setImmediate)
    first.signal('SIGKILL')
    expect(await first.ended).toBe('SIGKILL')

    const second = await start()
    expect(new Set(await allEnded(second, ids))).toEqual(new Set(['COMPLETED']))
  })

  it('lets running jobs finish on SIGTERM, keeps the queued ones, and ends with 0', async () => {
    const first = await start()
    const ids = await submit(first, 30)
    while ((await state(first, ids[1] ?? '')) !== 'COMPLETED') await new Promise(setImmediate)
    first.signal('SIGTERM')
    expect(await first.ended).toBe(0)

    const second = await start()
    expect(new Set(await allEnded(second, ids))).toEqual(new Set(['COMPLETED']))
    const response = await fetch(`${second.url}/db/jobs?limit=100`)
    const { jobs } = (await response.json()) as { jobs: RestJob[] }
    expect(jobs.map(({ attempt }) => attempt)).toEqual(jobs.map(() => 1))
  })

  it('refuses a data folder that another process has open, and says what to do', async () => {
    await start()
    await expect(start()).rejects.toThrow(/in use by another process/)
  })
})
