import { beforeEach, describe, expect, it } from 'vitest'
import type { Api } from '../src/api/http.ts'
import { HeddleError } from '../src/core/errors.ts'
import { query, submitJob, sum } from './fakes/graphql.ts'
import { call, createFakeApi, createFakeServices, type FakeServices } from './fakes/services.ts'

let services: FakeServices
let api: Api
beforeEach(() => {
  services = createFakeServices()
  api = createFakeApi(services)
})

describe('errors', () => {
  it('say when to try again, and what can be done', async () => {
    services.failWith(
      new HeddleError('STORE_UNAVAILABLE', 'away', { retryAfterMs: 1000, hint: 'wait' }),
    )
    const { errors } = await query(api, submitJob, { input: sum })
    expect(errors?.[0]).toMatchObject({
      message: 'away',
      path: ['submitJob'],
      extensions: { code: 'STORE_UNAVAILABLE', retryAfterMs: 1000, hint: 'wait' },
    })
  })

  it('are masked where they were not expected', async () => {
    services.failWith(new Error('password=hunter2'))
    const answer = await query(api, '{ jobs { totalCount } }')
    expect(JSON.stringify(answer)).not.toContain('hunter2')
    expect(answer.errors?.[0]).toMatchObject({
      message: 'Unexpected error',
      extensions: { code: 'INTERNAL' },
    })
  })

  it("of syntax and of unknown fields are GraphQL's own", async () => {
    expect((await query(api, '{ jobs {')).errors?.[0]?.message).toMatch(/Syntax Error/)
    expect((await query(api, '{ nonsense }')).errors?.[0]?.message).toMatch(
      /Cannot query field "nonsense"/,
    )
  })
})

describe('limits', () => {
  const field =
    '{ nodes { id name type state payload result attempts { number error { message stack } } } }'
  it.each([
    [
      'too many costly pages',
      `{ ${Array.from({ length: 10 }, (_, i) => `p${i}: jobs(first: 500) ${field}`).join(' ')} }`,
      /too large/,
    ],
    [
      'too many names for one field',
      `{ ${Array.from({ length: 60 }, (_, i) => `p${i}: job(id: "a") { id }`).join(' ')} }`,
      /[Aa]lias/,
    ],
    [
      'an expected start for each of a long page',
      '{ jobs(first: 100) { nodes { schedule { reason } } } }',
      /too large/,
    ],
    ['too many tokens', `{ ${'jobTypes { type } '.repeat(600)} }`, /[Tt]oken/],
    [
      'nesting without end',
      `mutation { submitJob(input: { type: "x", payload: ${'['.repeat(1990)}`,
      /nest too deep/,
    ],
  ])('refuse %s', async (_what, text, message) => {
    const { errors } = await query(api, text)
    expect(errors?.[0]?.message).toMatch(message)
  })

  it('let one full page with every field pass', async () => {
    expect((await query(api, `{ jobs(first: 500) ${field} }`)).errors).toBeUndefined()
  })

  it('refuse variables that nest deeper than a stack is', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const body = `{"query":${JSON.stringify(submitJob)},"variables":{"input":{"type":"x","payload":${deep}}}}`
    const { body: answer } = await call<{ errors: { message: string }[] }>(
      api,
      'POST',
      '/graphql',
      body,
    )
    expect(answer.errors[0]?.message).toMatch(/nest too deep/)
  })
})

describe('HTTP', () => {
  it('takes JSON only, so that no form of another site gets through', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const { status } = await call(api, 'POST', '/graphql', 'query=mutation{x}', {
        'content-type': type,
      })
      expect(status, type).toBe(415)
    }
  })

  it('reads no body past its limit, whether the length is told or not', async () => {
    const small = createFakeApi(services, { bodyLimitBytes: 1000 })
    const body = JSON.stringify({ query: `{ jobTypes { type } } # ${'x'.repeat(1000)}` })
    for (const headers of [{ 'content-length': String(body.length) }, {}]) {
      const { status, body: answer } = await call<{ errors: { message: string }[] }>(
        small,
        'POST',
        '/graphql',
        body,
        headers as Record<string, string>,
      )
      expect([status, answer.errors[0]?.message]).toEqual([413, 'Request body too large'])
    }
  })

  it('says of a body that is no JSON what is wrong, and tells no page anything', async () => {
    const { status, headers, body } = await call<{ errors: { message: string }[] }>(
      api,
      'POST',
      '/graphql',
      '{',
    )
    expect([status, body.errors[0]?.message]).toEqual([400, 'POST body sent invalid JSON.'])
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  it('answers queries by GET and refuses mutations there', async () => {
    const get = (text: string) => call(api, 'GET', `/graphql?query=${encodeURIComponent(text)}`)
    expect((await get('{ jobTypes { type } }')).status).toBe(200)
    expect((await get('mutation { retryJob(id: "x") { id } }')).status).toBe(405)
  })

  it('shows GraphiQL to a browser, whole in one page, and only once', async () => {
    const { status, headers, body } = await call<string>(api, 'GET', '/graphql', undefined, {
      accept: 'text/html',
    })
    expect(status).toBe(200)
    expect(body).toContain('SumOnFourThreads')
    expect(body).not.toMatch(/<(script|link)[^>]+(src|href)="https?:/)
    const again = await call(api, 'GET', '/graphql', undefined, {
      accept: 'text/html',
      'if-none-match': headers.get('etag') ?? '',
    })
    expect(again.status).toBe(304)
  })
})
