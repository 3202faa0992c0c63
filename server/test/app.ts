import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { startApp, type App } from '../src/app.ts'
import { readConfig } from '../src/config.ts'

export interface TestApp {
  url: string
  app: App
  /** waits for the job with this id to end, and gives it as REST tells it */
  ended(id: string): Promise<RestJob>
  post(path: string, body: unknown): Promise<{ status: number; body: never }>
  get(path: string): Promise<{ status: number; body: never }>
  graphql<T = Record<string, never>>(query: string, variables?: Record<string, unknown>): Promise<T>
  close(): Promise<void>
}

export interface RestJob {
  id: string
  state: string
  result: unknown
  error: { name: string; message: string; code?: string; stack?: string } | null
  width: number | null
  attempt: number
  [field: string]: unknown
}

/** The whole product on a port of its own, configured as its users would: by variables. */
export async function startTestApp(variables: Record<string, string> = {}): Promise<TestApp> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'heddle-test-'))
  const config = readConfig({
    API_PORT: '0',
    DATA_DIR: dataDir,
    LOG_LEVEL: 'error',
    WORKER_1_THREADS: '2',
    WORKER_2_THREADS: '0',
    ...variables,
  })
  const app = await startApp(config)
  const url = `http://127.0.0.1:${app.address.port}`

  const answer = async (response: Response) => ({
    status: response.status,
    body: (await response.json()) as never,
  })
  const get = async (route: string) => answer(await fetch(`${url}${route}`))
  const post = async (route: string, body: unknown) =>
    answer(
      await fetch(`${url}${route}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    )

  return {
    url,
    app,
    get,
    post,
    async ended(id) {
      for (;;) {
        const { status, body } = await get(`/jobs/${id}`)
        if (status !== 200) throw new Error(`job ${id}: ${status} ${JSON.stringify(body)}`)
        const job: RestJob = body
        if (['COMPLETED', 'FAILED', 'CANCELLED'].includes(job.state)) return job
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    async graphql<T>(query: string, variables: Record<string, unknown> = {}) {
      const { body } = await post('/graphql', { query, variables })
      const { data, errors } = body as { data: T; errors?: unknown[] }
      if (errors) throw new Error(JSON.stringify(errors))
      return data
    },
    async close() {
      await app.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
