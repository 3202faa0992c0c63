import { beforeEach, describe, expect, it } from 'vitest'
import {
  FairShareBody,
  FairSharesBody,
  JobBody,
  JobsBody,
  JobTypesBody,
  ProblemBody,
  WorkersBody,
} from '../src/api/rest/bodies.ts'
import type { Api } from '../src/api/http.ts'
import { HeddleError } from '../src/core/errors.ts'
import { call, createFakeApi, createFakeServices, type FakeServices } from './fakes/services.ts'

interface OpenApi {
  openapi: string
  paths: Record<string, unknown> & {
    '/jobs': {
      post: {
        requestBody: {
          content: { 'application/json': { examples: Record<string, { value: unknown }> } }
        }
      }
    }
  }
}

let services: FakeServices
let api: Api
beforeEach(() => {
  services = createFakeServices()
  api = createFakeApi(services)
})

const sum = { name: 'Sum', type: 'large_array_sum', payload: { numbers: [1, 2, 3] } }

describe('lists', () => {
  beforeEach(async () => {
    const jobs = Array.from({ length: 5 }, (_, index) => ({
      ...sum,
      name: `Job ${index}`,
      priority: index,
    }))
    await call(api, 'POST', '/jobs/bulk', { jobs })
    const [first] = services.jobs.keys()
    services.complete(first ?? '', 6)
  })

  it('pages through active jobs by cursor, and history apart from them', async () => {
    const one = JobsBody.parse((await call(api, 'GET', '/jobs?limit=3')).body)
    expect(one.jobs.map(({ name }) => name)).toEqual(['Job 4', 'Job 3', 'Job 2'])
    const cursor = encodeURIComponent(one.next_cursor ?? '')
    const two = JobsBody.parse((await call(api, 'GET', `/jobs?limit=3&cursor=${cursor}`)).body)
    expect(two).toMatchObject({ jobs: [{ name: 'Job 1' }], next_cursor: null })
    const history = JobsBody.parse((await call(api, 'GET', '/db/jobs')).body)
    expect(history.jobs).toMatchObject([
      {
        name: 'Job 0',
        state: 'COMPLETED',
        queue_time_ms: 1,
        execution_time_ms: 2,
        total_time_ms: 3,
      },
    ])
  })

  it('filters by state, type, priority and name', async () => {
    const names = async (parameters: string): Promise<string[]> =>
      JobsBody.parse((await call(api, 'GET', `/jobs?${parameters}`)).body).jobs.map(
        ({ name }) => name,
      )
    expect(await names('priority_min=2&priority_max=3')).toEqual(['Job 3', 'Job 2'])
    expect(await names('state=running')).toEqual([])
    expect(await names('state=queued,running&name=job%204')).toEqual(['Job 4'])
    expect(await names('type=add_numbers')).toEqual([])
  })

  it('leaves payloads and results out unless they are asked for', async () => {
    const plain = JobsBody.parse((await call(api, 'GET', '/db/jobs')).body)
    expect(plain.jobs[0]).not.toHaveProperty('payload')
    expect(services.documentReads).toEqual([])
    const both = JobsBody.parse((await call(api, 'GET', '/db/jobs?include=payload,result')).body)
    expect(both.jobs[0]).toMatchObject({ payload: { numbers: [1, 2, 3] }, result: 6 })
    expect(services.documentReads).toHaveLength(1)
  })

  it.each([
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=ten', 'limit'],
    ['state=SLEEPING', 'state'],
    ['priority_min=3&priority_max=1', 'priority_min'],
    ['include=secrets', 'include'],
  ])('refuses %s', async (parameters, at) => {
    const { status, body } = await call(api, 'GET', `/jobs?${parameters}`)
    expect([status, body.code]).toEqual([400, 'INVALID_ARGUMENT'])
    expect(ProblemBody.parse(body).issues?.[0]?.path[0]).toBe(at)
  })

  it('refuses an unknown parameter and a bad cursor by name', async () => {
    const unknown = await call(api, 'GET', '/jobs?colour=red')
    expect([unknown.status, JSON.stringify(unknown.body.issues)]).toMatchObject([
      400,
      expect.stringContaining('colour'),
    ])
    const cursor = await call(api, 'GET', '/db/jobs?cursor=nonsense')
    expect([cursor.status, cursor.body.code]).toEqual([400, 'INVALID_CURSOR'])
  })
})

describe('one job', () => {
  const submitOne = async (): Promise<string> =>
    String((await call(api, 'POST', '/jobs', sum)).body.id)

  it('comes with its payload, and with its result once it has one', async () => {
    const id = await submitOne()
    expect((await call(api, 'GET', `/jobs/${id}`)).body).toMatchObject({
      payload: { numbers: [1, 2, 3] },
      result: null,
    })
    services.complete(id, 6)
    expect(JobBody.parse((await call(api, 'GET', `/jobs/${id}`)).body)).toMatchObject({
      state: 'COMPLETED',
      result: 6,
    })
  })

  it('is cancelled: 200 when that ended it, 202 while it is being stopped, 409 when it had ended', async () => {
    const queued = await submitOne()
    expect((await call(api, 'DELETE', `/jobs/${queued}`)).status).toBe(200)
    expect((await call(api, 'DELETE', `/jobs/${queued}`)).body.code).toBe('JOB_FINISHED')
    const running = await submitOne()
    services.change(running, { state: 'RUNNING', attempt: 1 })
    const { status, body } = await call(api, 'DELETE', `/jobs/${running}`)
    expect([status, body.cancel_requested]).toEqual([202, true])
  })

  it('is retried once it has ended, and not before', async () => {
    const id = await submitOne()
    const early = await call(api, 'POST', `/jobs/${id}/retry`)
    expect([early.status, early.body.code]).toEqual([409, 'JOB_NOT_FINISHED'])
    services.complete(id, 6)
    expect((await call(api, 'POST', `/jobs/${id}/retry`)).body).toMatchObject({
      id,
      state: 'QUEUED',
    })
  })

  it.each([
    ['GET', '/jobs/nonsense'],
    ['GET', '/jobs/019a0000-0000-7000-8000-000000000000'],
    ['DELETE', '/jobs/019a0000-0000-7000-8000-000000000000'],
    ['POST', '/jobs/019a0000-0000-7000-8000-000000000000/retry'],
  ])('%s %s answers 404 where nobody knows the id', async (method, path) => {
    const { status, body } = await call(api, method, path)
    expect([status, body.code]).toEqual([404, 'JOB_NOT_FOUND'])
  })
})

describe('the rest of the surface', () => {
  it('answers unknown paths and methods with problems', async () => {
    const nowhere = await call(api, 'GET', '/nowhere')
    expect([nowhere.status, nowhere.body.code]).toEqual([404, 'NOT_FOUND'])
    const method = await call(api, 'PUT', '/jobs', sum)
    expect([method.status, method.headers.get('allow')]).toEqual([405, 'GET, POST'])
  })

  it('describes job types and workers', async () => {
    const { job_types: types } = JobTypesBody.parse((await call(api, 'GET', '/job-types')).body)
    expect(types.find(({ type }) => type === 'add_numbers')).toMatchObject({
      example: { a: 1, b: 1 },
    })
    services.workerViews.push({
      nodeId: 'n',
      nodeName: 'here',
      name: 'worker-1',
      threads: 2,
      busy: [null, 'j'],
    })
    const { workers } = WorkersBody.parse((await call(api, 'GET', '/workers')).body)
    expect(workers).toMatchObject([{ name: 'worker-1', threads: 2, busy_threads: 1 }])
  })

  it('lists fairness keys, and weighs them', async () => {
    const put = (weight: unknown, key = 'team%2Fa') =>
      call(api, 'PUT', `/fair-shares/${key}`, { weight })
    const { status, body } = await put(2.5)
    expect([status, FairShareBody.parse(body)]).toMatchObject([200, { key: 'team/a', weight: 2.5 }])
    const listed = FairSharesBody.parse((await call(api, 'GET', '/fair-shares')).body)
    expect(listed.fair_shares).toMatchObject([{ key: 'team/a', weight: 2.5 }])
    for (const wrong of [0, -1, 1001, '2', null]) {
      const refused = await put(wrong)
      expect([refused.status, refused.body.code]).toEqual([400, 'INVALID_ARGUMENT'])
      expect(refused.body.issues).toMatchObject([{ path: ['weight'] }])
    }
  })

  it('tells health, readiness and metrics', async () => {
    expect((await call(api, 'GET', '/healthz')).status).toBe(200)
    expect((await call(api, 'GET', '/readyz')).body).toMatchObject({ status: 'ready', store: 'ok' })
    services.failWith(new HeddleError('STORE_UNAVAILABLE', 'away'))
    const away = await call(api, 'GET', '/readyz')
    expect([away.status, away.body.store]).toEqual([503, 'unavailable'])
    await call(api, 'POST', '/jobs', sum)
    const { body } = await call<string>(api, 'GET', '/metrics')
    expect(body).toContain('heddle_jobs{state="queued"} 1\n')
    expect(body).toMatch(/^# TYPE heddle_jobs_submitted_total counter$/m)
  })

  it('describes itself as OpenAPI 3.1, each reference leading somewhere', async () => {
    const { body } = await call<OpenApi>(api, 'GET', '/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/jobs',
        '/jobs/bulk',
        '/jobs/{id}',
        '/jobs/{id}/retry',
        '/db/jobs',
        '/job-types',
        '/workers',
      ]),
    )
    const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      ([, path]) => path ?? '',
    )
    expect(references.length).toBeGreaterThan(10)
    for (const path of references) {
      const target = path
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], body)
      expect(target, path).toBeDefined()
    }
  })

  it('gives examples that are accepted as they stand', async () => {
    const { body } = await call<OpenApi>(api, 'GET', '/openapi.json')
    const { examples } = body.paths['/jobs'].post.requestBody.content['application/json']
    for (const { value } of Object.values(examples)) {
      expect((await call(api, 'POST', '/jobs', value)).status, JSON.stringify(value)).toBe(201)
    }
  })

  it('serves the documentation page from its own files', async () => {
    const { body, headers } = await call<string>(api, 'GET', '/docs')
    expect(headers.get('content-security-policy')).toContain("default-src 'self'")
    const files = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '')
    expect(files).toHaveLength(4)
    for (const file of files) expect((await call(api, 'GET', file)).status, file).toBe(200)
    expect(body).not.toMatch(/https?:/)
  })
})
