import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type RestJob, type TestApp } from './app.ts'

const jobTypes = `
import { appendFileSync, existsSync } from 'node:fs'
import { defineJob } from 'heddle'
import { z } from 'zod'
export default [
  defineJob({
    type: 'note',
    payload: z.object({ file: z.string() }),
    run({ file }, { jobId }) { appendFileSync(file, jobId + '\\n') },
  }),
  defineJob({
    type: 'hold',
    payload: z.object({ until: z.string() }),
    async run({ until }) { while (!existsSync(until)) await new Promise((resolve) => setTimeout(resolve, 5)) },
  }),
]`

describe('on one worker with one thread', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-priorities-'))
  let app: TestApp
  beforeAll(async () => {
    writeFileSync(path.join(folder, 'types.mjs'), jobTypes)
    app = await startTestApp({ WORKER_1_THREADS: '1', WORKER_2_THREADS: '0', JOBS_DIR: folder })
  })
  afterAll(async () => {
    await app.close()
    rmSync(folder, { recursive: true })
  })
  const submit = async (job: unknown): Promise<RestJob> => {
    const { status, body } = await app.post('/jobs', job)
    expect(status).toBe(201)
    return body
  }

  it('jobs start strictly by priority, then by submission', async () => {
    let round = 0
    const priorities = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 2, maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(priorities, async (given) => {
        round += 1
        const until = path.join(folder, `go-${round}`)
        const file = path.join(folder, `order-${round}`)
        const holder = await submit({ type: 'hold', priority: 1000, payload: { until } })
        const jobs: RestJob[] = []
        for (const priority of given) {
          jobs.push(await submit({ type: 'note', priority, payload: { file } }))
        }
        writeFileSync(until, '')
        await Promise.all([holder, ...jobs].map(({ id }) => app.ended(id)))
        const inOrder = jobs.toSorted((a, b) => Number(b.priority) - Number(a.priority))
        expect(readFileSync(file, 'utf8').trim().split('\n')).toEqual(inOrder.map(({ id }) => id))
      }),
      { numRuns: 8 },
    )
  })

  it('a job gets one thread where its type or the worker has no more, and is told why', async () => {
    const numbers = [1, 2, 3]
    const wide = await submit({ type: 'large_array_sum', thread_demand: 64, payload: { numbers } })
    expect(await app.ended(wide.id)).toMatchObject({
      width: 1,
      width_reason: 'NO_WORKER_LARGE_ENOUGH',
      result: 6,
    })
    const serial = await submit({ type: 'add_numbers', thread_demand: 4, payload: { a: 1, b: 2 } })
    expect(await app.ended(serial.id)).toMatchObject({
      width: 1,
      width_reason: 'TYPE_NOT_PARALLEL',
      result: 3,
    })
  })
})
