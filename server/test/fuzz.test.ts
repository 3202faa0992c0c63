import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Api } from '../src/api/http.ts'
import { call, createFakeApi, createFakeServices, type FakeServices } from './fakes/services.ts'

let services: FakeServices
let api: Api
beforeEach(() => {
  services = createFakeServices()
  api = createFakeApi(services, { bodyLimitBytes: 100_000 })
})

const names = fc.constantFrom(
  ...['name', 'type', 'payload', 'priority', 'thread_demand', 'max_attempts', 'timeout_ms'],
  ...['delay_ms', 'run_at', 'idempotency_key', 'backoff', 'jobs', '__proto__', 'constructor'],
)
const type = fc.constantFrom('add_numbers', 'reverse_string', 'resize_image', 'large_array_sum')
const value = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    -0,
    1e308,
    -1,
    2 ** 53,
    '',
    '\0',
    '\ud800',
    '2030-01-31T09:00:00Z',
    '9'.repeat(400),
  ),
)
/** Looks like a job often enough to get far. */
const nearlyJob = fc
  .tuple(
    fc.option(type),
    fc.dictionary(names, value, { maxKeys: 4 }),
    fc.dictionary(fc.string(), value, { maxKeys: 2 }),
  )
  .map(([known, fields, others]) => ({ ...(known ? { type: known } : {}), ...fields, ...others }))
const anyBody = fc.oneof(
  nearlyJob.map((job) => JSON.stringify(job)),
  fc.array(nearlyJob, { maxLength: 3 }).map((jobs) => JSON.stringify({ jobs })),
  fc.json(),
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 200 }),
)

/** What a door may answer to anything at all; and a refusal stores nothing. */
async function holds(send: () => Promise<{ status: number; accepted?: boolean }>): Promise<void> {
  const before = services.jobs.size
  const { status, accepted = status < 300 } = await send()
  expect(status).toBeGreaterThanOrEqual(200)
  expect(status).toBeLessThan(500)
  if (!accepted) expect(services.jobs.size).toBe(before)
}

describe('whatever is sent', () => {
  it('as the body of a submission, REST accepts it or says what is wrong', async () => {
    const path = fc.constantFrom('/jobs', '/jobs/bulk')
    await fc.assert(
      fc.asyncProperty(path, anyBody, (at, body) => holds(() => call(api, 'POST', at, body))),
      { numRuns: 500 },
    )
  })

  it('as a path, a method and a query, REST answers', async () => {
    const part = fc.oneof(
      fc.webSegment(),
      fc.constantFrom('jobs', 'db', '%00', '%ff', '..', '%2e%2e'),
    )
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS')
    const parameters = fc.webQueryParameters()
    await fc.assert(
      fc.asyncProperty(method, fc.array(part, { maxLength: 4 }), parameters, (verb, parts, query) =>
        holds(() => call(api, verb, `/${parts.join('/')}?${query}`)),
      ),
      { numRuns: 500 },
    )
  })

  it('as parameters of a list, REST answers', async () => {
    const known = fc.constantFrom(
      'state',
      'type',
      'priority_min',
      'priority_max',
      'name',
      'limit',
      'cursor',
      'include',
      '__proto__',
    )
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('QUEUED', '10', '-1', 'payload', '1e3', '\0'),
    )
    const list = fc.constantFrom('/jobs', '/db/jobs')
    await fc.assert(
      fc.asyncProperty(list, fc.array(fc.tuple(known, text), { maxLength: 4 }), (at, pairs) =>
        holds(() => call(api, 'GET', `${at}?${new URLSearchParams(pairs).toString()}`)),
      ),
      { numRuns: 500 },
    )
  })

  it('as headers of a submission, REST answers', async () => {
    const header = fc.constantFrom(
      'authorization',
      'content-type',
      'idempotency-key',
      'origin',
      'host',
      'accept',
      'content-length',
    )
    const text = fc.string({ unit: fc.constantFrom(...'abc/*;=:. -_"0123456789') })
    const body = JSON.stringify({ type: 'add_numbers', payload: { a: 1, b: 2 } })
    await fc.assert(
      fc.asyncProperty(fc.dictionary(header, text, { maxKeys: 3 }), (headers) =>
        holds(() => call(api, 'POST', '/jobs', body, headers)),
      ),
      { numRuns: 300 },
    )
  })
})

describe('whatever GraphQL is sent', () => {
  type Answer = { data?: unknown; errors?: { extensions?: { code?: string } }[] } | string

  const post = async (
    body: string | Uint8Array,
  ): Promise<{ status: number; accepted: boolean }> => {
    const answer = await call<Answer>(api, 'POST', '/graphql', body)
    const errors = (typeof answer.body === 'object' ? answer.body.errors : undefined) ?? []
    for (const { extensions } of errors) expect(extensions?.code).not.toBe('INTERNAL')
    return { status: answer.status, accepted: answer.status < 300 && errors.length === 0 }
  }

  it('as a body, it answers without a fault of its own', async () => {
    const request = fc.record(
      {
        query: fc.oneof(fc.string(), fc.jsonValue()),
        variables: fc.jsonValue(),
        operationName: fc.jsonValue(),
        extensions: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    const body = fc.oneof(
      request.map((given) => JSON.stringify(given)),
      anyBody,
    )
    await fc.assert(
      fc.asyncProperty(body, (given) => holds(() => post(given))),
      { numRuns: 500 },
    )
  })

  it('as a document made of its own words, it answers without a fault of its own', async () => {
    const word = fc.constantFrom(
      ...[
        '{',
        '}',
        '(',
        ')',
        '[',
        ']',
        ':',
        '!',
        '...',
        '@',
        '$x',
        '"',
        '"""',
        '#',
        '\\u',
        'on',
        'query',
      ],
      ...[
        'mutation',
        'subscription',
        'fragment',
        'submitJob',
        'jobs',
        'nodes',
        'id',
        'first',
        '1',
        '-1',
        '1e999',
      ],
      ...[
        'input',
        'type',
        'payload',
        'null',
        'true',
        '@skip',
        '@include',
        '__typename',
        '__schema',
        'Job',
      ],
    )
    const document = fc.array(word, { maxLength: 60 }).map((words) => words.join(' '))
    await fc.assert(
      fc.asyncProperty(document, (query) => holds(() => post(JSON.stringify({ query })))),
      { numRuns: 500 },
    )
  })

  it('as the variables of a good query, it answers without a fault of its own', async () => {
    const query = `mutation ($input: SubmitJobInput!) { submitJob(input: $input) { id payload } }`
    const fields = fc.constantFrom(
      'name',
      'type',
      'payload',
      'typedPayload',
      'priority',
      'threadDemand',
      'delayMs',
      'runAt',
      'backoff',
    )
    const typed = fc.dictionary(
      fc.constantFrom('addNumbers', 'reverseString', 'resizeImage'),
      value,
    )
    const input = fc
      .tuple(fc.option(type), fc.dictionary(fields, value), fc.option(typed))
      .map(([known, rest, payload]) => ({
        ...rest,
        ...(known ? { type: known } : {}),
        ...(payload ? { typedPayload: payload } : {}),
      }))
    await fc.assert(
      fc.asyncProperty(input, (given) =>
        holds(() => post(JSON.stringify({ query, variables: { input: given } }))),
      ),
      { numRuns: 500 },
    )
  })

  it('as ids, cursors and filters, it answers without a fault of its own', async () => {
    const query = `query ($id: ID!, $after: String, $first: Int, $filter: JobFilter) {
      job(id: $id) { id } node(id: $id) { id }
      jobs(after: $after, first: $first, filter: $filter) { totalCount }
      history(after: $after, first: $first, filter: $filter) { totalCount }
    }`
    const variables = fc.record({
      id: fc.oneof(fc.string({ unit: 'binary' }), fc.integer()),
      after: fc.option(fc.string({ unit: 'binary' })),
      first: fc.option(fc.integer()),
      filter: fc.record(
        {
          name: fc.string({ unit: 'binary' }),
          types: fc.array(fc.string()),
          minPriority: fc.integer(),
        },
        { requiredKeys: [] },
      ),
    })
    await fc.assert(
      fc.asyncProperty(variables, (given) =>
        holds(() => post(JSON.stringify({ query, variables: given }))),
      ),
      { numRuns: 300 },
    )
  })
})
