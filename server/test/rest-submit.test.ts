import { beforeEach, describe, expect, it } from 'vitest'
import { JobBody, ProblemBody } from '../src/api/rest/bodies.ts'
import type { Api } from '../src/api/http.ts'
import { HeddleError } from '../src/core/errors.ts'
import { call, createFakeApi, createFakeServices, type FakeServices } from './fakes/services.ts'

let services: FakeServices
let api: Api
beforeEach(() => {
  services = createFakeServices()
  api = createFakeApi(services)
})

const sum = { name: 'Sum', type: 'large_array_sum', payload: { numbers: [1, 2, 3] } }

describe('POST /jobs', () => {
  it('answers 201 with the job and where it is', async () => {
    const { status, headers, body } = await call(api, 'POST', '/jobs', {
      ...sum,
      priority: 10,
      thread_demand: 4,
    })
    expect(status).toBe(201)
    expect(JobBody.parse(body)).toMatchObject({
      name: 'Sum',
      type: 'large_array_sum',
      priority: 10,
      thread_demand: 4,
      state: 'QUEUED',
    })
    expect(headers.get('location')).toBe(`/jobs/${String(body.id)}`)
  })

  it('hands every field of a submission on', async () => {
    const { body } = await call(api, 'POST', '/jobs', {
      ...sum,
      max_attempts: 5,
      run_at: '2030-01-31T09:00:00Z',
    })
    expect(body).toMatchObject({ max_attempts: 5, run_at: '2030-01-31T09:00:00.000Z' })
  })

  it('takes null for absent in every field that may be absent', async () => {
    const optional = [
      'name',
      'priority',
      'thread_demand',
      'expected_ms',
      'max_attempts',
      'delay_ms',
    ]
      .concat(['timeout_ms', 'run_at', 'fairness_key', 'idempotency_key', 'backoff'])
      .map((field) => [field, null])
    const given: object = { ...sum, ...(Object.fromEntries(optional) as object) }
    const { status, body } = await call(api, 'POST', '/jobs', given)
    expect([status, body]).toMatchObject([201, { name: 'large_array_sum', priority: 0 }])
  })

  it.each([
    [
      'an unknown field, naming the one that was meant',
      { ...sum, threadDemand: 4 },
      'INVALID_JOB',
      ['threadDemand'],
      /thread_demand/,
    ],
    [
      'an unknown field of the back-off',
      { ...sum, backoff: { base: 1 } },
      'INVALID_JOB',
      ['backoff', 'base'],
      /unknown field/,
    ],
    ['a priority out of range', { ...sum, priority: 1001 }, 'INVALID_JOB', ['priority'], /1000/],
    [
      'a range of threads that is upside down',
      { ...sum, thread_demand: { min: 4, preferred: 2 } },
      'INVALID_JOB',
      ['thread_demand', 'min'],
      /least threads/,
    ],
    [
      'an expected run time of nothing',
      { ...sum, expected_ms: 0 },
      'INVALID_JOB',
      ['expected_ms'],
      /604800000/,
    ],
    [
      'a thread demand out of range, in REST words',
      { ...sum, thread_demand: 0 },
      'INVALID_JOB',
      ['thread_demand'],
      /1024/,
    ],
    [
      'a fraction of an attempt',
      { ...sum, max_attempts: 1.5 },
      'INVALID_JOB',
      ['max_attempts'],
      /whole/,
    ],
    [
      'a back-off upside down',
      { ...sum, backoff: { base_ms: 9, max_ms: 1 } },
      'INVALID_JOB',
      ['backoff', 'base_ms'],
      /above/,
    ],
    ['no type', { payload: {} }, 'INVALID_JOB', ['type'], /type/],
    [
      'a wrong place in the payload',
      { ...sum, payload: { numbers: [1, 'x'] } },
      'INVALID_PAYLOAD',
      ['payload', 'numbers', 1],
      /number/,
    ],
    ['a list in place of a job', [sum], 'INVALID_JOB', [], /object/],
  ])('refuses %s', async (_what, job, code, path, message) => {
    const { status, body } = await call(api, 'POST', '/jobs', job)
    expect(status).toBe(400)
    const problem = ProblemBody.parse(body)
    expect(problem.code).toBe(code)
    expect(problem.issues?.[0]?.path).toEqual(path)
    expect(problem.issues?.[0]?.message).toMatch(message)
    expect(services.jobs.size).toBe(0)
  })

  it.each([
    ['malformed JSON', '{"type":', 400, 'MALFORMED_JSON'],
    ['an empty body', '', 400, 'MALFORMED_JSON'],
    ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0xfe, 0x22]), 400, 'MALFORMED_JSON'],
    [
      'nesting no stack survives',
      `{"type":"x","payload":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      400,
      'MALFORMED_JSON',
    ],
    ['an unknown type', { type: 'nonsense' }, 400, 'UNKNOWN_JOB_TYPE'],
  ])('answers %s with a typed problem', async (_what, body, status, code) => {
    const answer = await call(api, 'POST', '/jobs', body)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(ProblemBody.parse(answer.body)).toMatchObject({ status, code })
  })

  it('refuses a body that does not say it is JSON, as a form of another site would send it', async () => {
    const { status, body } = await call(api, 'POST', '/jobs', JSON.stringify(sum), {
      'content-type': 'text/plain',
    })
    expect([status, body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
    expect(services.jobs.size).toBe(0)
  })

  it('refuses a body over the limit, told or counted', async () => {
    const small = createFakeApi(services, { bodyLimitBytes: 100 })
    const large = JSON.stringify({ ...sum, name: 'x'.repeat(150) })
    const told = await call(small, 'POST', '/jobs', large, {
      'content-length': String(large.length),
    })
    expect([told.status, told.body.code]).toEqual([413, 'BODY_TOO_LARGE'])
    const counted = await call(small, 'POST', '/jobs', large)
    expect([counted.status, counted.body.code]).toEqual([413, 'BODY_TOO_LARGE'])
  })

  it('takes the idempotency key from its header, and refuses two that differ', async () => {
    const seen: unknown[] = []
    const { submit } = services.scheduler
    services.scheduler.submit = (requests) => (seen.push(...requests), submit(requests))
    await call(api, 'POST', '/jobs', sum, { 'idempotency-key': 'a' })
    expect(seen).toMatchObject([{ idempotencyKey: 'a' }])
    const { status, body } = await call(
      api,
      'POST',
      '/jobs',
      { ...sum, idempotency_key: 'b' },
      { 'idempotency-key': 'a' },
    )
    expect([status, body.issues]).toMatchObject([400, [{ path: ['idempotency_key'] }]])
  })

  it('says when to come back while the queue is full or the database away', async () => {
    services.failWith(new HeddleError('QUEUE_FULL', 'full', { retryAfterMs: 2000, hint: 'wait' }))
    const full = await call(api, 'POST', '/jobs', sum)
    expect([full.status, full.headers.get('retry-after')]).toEqual([429, '2'])
    expect(full.body).toMatchObject({ code: 'QUEUE_FULL', hint: 'wait' })
    services.failWith(new HeddleError('STORE_UNAVAILABLE', 'away', { retryAfterMs: 500 }))
    const away = await call(api, 'POST', '/jobs', sum)
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1'])
  })

  it('masks what it did not expect', async () => {
    services.failWith(new Error('password=hunter2'))
    const { status, body } = await call(api, 'POST', '/jobs', sum)
    expect([status, body.code]).toEqual([500, 'INTERNAL'])
    expect(JSON.stringify(body)).not.toContain('hunter2')
    expect(body.detail).toMatch(/[0-9a-f-]{36}/)
  })
})

describe('POST /jobs/bulk', () => {
  it('answers 201 with all jobs in order', async () => {
    const jobs = [sum, { type: 'reverse_string', payload: { text: 'ab' } }]
    const { status, body } = await call<{ jobs: { type: string }[] }>(api, 'POST', '/jobs/bulk', {
      jobs,
    })
    expect(status).toBe(201)
    expect(body.jobs.map(({ type }) => type)).toEqual(['large_array_sum', 'reverse_string'])
  })

  it.each([
    ['one of two', [sum, { ...sum, priority: 5000 }], ['jobs', 1, 'priority']],
    ['the only one', [{ ...sum, thread_demand: -1 }], ['jobs', 0, 'thread_demand']],
    ['an unknown field', [sum, { ...sum, extra: 1 }], ['jobs', 1, 'extra']],
  ])('stores none and leads to the wrong place of %s', async (_what, jobs, path) => {
    const { status, body } = await call(api, 'POST', '/jobs/bulk', { jobs })
    expect([status, body.issues]).toMatchObject([400, [{ path }]])
    expect(services.jobs.size).toBe(0)
  })

  it.each([[[]], [Array.from({ length: 1001 }, () => sum)], ['no list']])(
    'refuses a list of the wrong size or kind',
    async (jobs) => {
      const { status, body } = await call(api, 'POST', '/jobs/bulk', { jobs })
      expect([status, body.issues]).toMatchObject([400, [{ path: ['jobs'] }]])
    },
  )
})
