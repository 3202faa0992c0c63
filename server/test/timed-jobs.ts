import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { startTestApp, type RestJob, type TestApp } from './app.ts'

const jobTypes = `
import { existsSync } from 'node:fs'
import { defineJob } from 'heddle'
import { z } from 'zod'
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export default [
  defineJob({ type: 'nap', payload: z.object({ ms: z.number() }), run: ({ ms }) => sleep(ms) }),
  defineJob({
    type: 'gate',
    payload: z.object({ file: z.string() }),
    async run({ file }) { while (!existsSync(file)) await sleep(5) },
  }),
  defineJob({
    type: 'wide',
    payload: z.object({ ms: z.number() }),
    parallel: { split: ({ ms }, width) => Array(width).fill(ms), run: sleep, merge: (parts) => parts.length },
  }),
]`

export interface TimedJobs {
  /** the product that runs now */
  readonly app: TestApp
  start(variables: Record<string, string>): Promise<void>
  /** tells the id */
  submit(job: Record<string, unknown>): Promise<string>
  /** in one call; tells the ids */
  submitAll(jobs: Record<string, unknown>[]): Promise<string[]>
  /** a payload for a job of type `gate`, which runs until it is opened */
  gate(name: string): { payload: { file: string }; open(): void }
  counts(): Promise<{ queued: number; running: number }>
  /** Keeps `ahead` naps in the queue until it is stopped. Resolves with how many there were. */
  stream(ahead: number, job: Record<string, unknown>): { stop(): Promise<number> }
}

/** The product for each test of a file, with jobs that take the time they are told to. */
export function useTimedJobs(): TimedJobs {
  let folder: string
  let app: TestApp
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-scheduling-'))
    writeFileSync(path.join(folder, 'types.mjs'), jobTypes)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  afterEach(() => app.close())

  const start = async (variables: Record<string, string>): Promise<void> => {
    app = await startTestApp({ JOBS_DIR: folder, ...variables })
  }
  const submit = async (job: Record<string, unknown>): Promise<string> => {
    const { status, body } = await app.post('/jobs', job)
    expect(status).toBe(201)
    return (body as RestJob).id
  }
  const submitAll = async (jobs: Record<string, unknown>[]): Promise<string[]> => {
    const { status, body } = await app.post('/jobs/bulk', { jobs })
    expect(status).toBe(201)
    return (body as { jobs: RestJob[] }).jobs.map(({ id }) => id)
  }
  const gate = (name: string) => {
    const file = path.join(folder, name)
    return { payload: { file }, open: () => writeFileSync(file, '') }
  }
  const stream = (ahead: number, job: Record<string, unknown>) => {
    let going = true
    const ended = (async () => {
      let submitted = 0
      while (going) {
        const { queued, running } = await counts()
        const missing = ahead - queued - running
        if (missing <= 0) {
          await new Promise((resolve) => setTimeout(resolve, 2))
          continue
        }
        const jobs = Array.from({ length: missing }, () => ({ type: 'nap', ...job }))
        submitted += (await submitAll(jobs)).length
      }
      return submitted
    })()
    return {
      stop() {
        going = false
        return ended
      },
    }
  }
  const counts = async (): Promise<{ queued: number; running: number }> => {
    const { jobs } = await app.graphql<{ jobs: { nodes: { state: string }[] } }>(
      '{ jobs(first: 100) { nodes { state } } }',
    )
    const of = (state: string) => jobs.nodes.filter((job) => job.state === state).length
    return { queued: of('QUEUED'), running: of('RUNNING') }
  }

  return {
    get app() {
      return app
    },
    start,
    submit,
    submitAll,
    gate,
    counts,
    stream,
  }
}
