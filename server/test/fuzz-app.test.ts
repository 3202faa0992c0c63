import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from './app.ts'

/** Text that databases, JSON and URLs find hard. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\0',
    '\ud800',
    '\udfff\ud800',
    '%',
    '_',
    '\\',
    "'",
    '{}',
    '\u202e',
    '🧵',
    'null',
  ),
)
const value = fc.oneof(fc.jsonValue(), text, fc.constantFrom(1e308, -0, 2 ** 53, -1))

describe('the whole product, whatever it is sent', () => {
  let app: TestApp
  beforeAll(async () => {
    // Front end only: what is accepted stays where it can be counted.
    app = await startTestApp({ ROLES: 'api' })
  })
  afterAll(() => app.close())

  const count = async (): Promise<number> =>
    (await app.graphql<{ jobs: { totalCount: number } }>('{ jobs { totalCount } }')).jobs.totalCount
  const post = async (path: string, body: unknown): Promise<{ status: number; body: never }> =>
    app.post(path, body)

  it('stores a job with any text in its name and payload, and gives it back; or refuses it and stores nothing', async () => {
    const job = fc.record(
      {
        name: text,
        type: fc.constant('reverse_string'),
        payload: fc.record({ text }),
      },
      { requiredKeys: ['type', 'payload'] },
    )
    await fc.assert(
      fc.asyncProperty(job, async (given) => {
        const before = await count()
        const { status, body } = await post('/jobs', given)
        if (status !== 201) {
          expect(status).toBe(400)
          expect(await count()).toBe(before)
          return
        }
        const { body: found } = await app.get(`/jobs/${(body as { id: string }).id}`)
        expect(found).toMatchObject({ payload: given.payload })
      }),
      { numRuns: 150 },
    )
  })

  it('answers any submission by REST with 201 or 400', async () => {
    const job = fc.dictionary(
      fc.constantFrom(
        'name',
        'type',
        'payload',
        'priority',
        'thread_demand',
        'timeout_ms',
        'run_at',
        'delay_ms',
      ),
      value,
    )
    const type = fc.constantFrom('add_numbers', 'reverse_string', 'resize_image', 'large_array_sum')
    await fc.assert(
      fc.asyncProperty(type, job, async (known, given) => {
        const before = await count()
        const { status } = await post('/jobs', { type: known, ...given })
        expect([201, 400]).toContain(status)
        expect(await count()).toBe(before + (status === 201 ? 1 : 0))
      }),
      { numRuns: 150 },
    )
  })

  it('answers any filter, cursor and id with a page or a 4xx', async () => {
    const known = fc.constantFrom(
      'state',
      'type',
      'priority_min',
      'priority_max',
      'name',
      'limit',
      'cursor',
    )
    const list = fc.constantFrom('/jobs', '/db/jobs')
    await fc.assert(
      fc.asyncProperty(
        list,
        fc.array(fc.tuple(known, text), { maxLength: 3 }),
        text,
        async (at, pairs, id) => {
          const page = await app.get(`${at}?${new URLSearchParams(pairs).toString()}`)
          expect([200, 400]).toContain(page.status)
          const one = await app.get(`/jobs/x${encodeURIComponent(Buffer.from(id).toString())}`)
          expect(one.status).toBe(404)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('answers any filter, cursor and id by GraphQL without a fault of its own', async () => {
    const query = `query ($id: ID!, $after: String, $filter: JobFilter) {
      job(id: $id) { id }
      jobs(after: $after, filter: $filter) { totalCount nodes { id payload } }
      history(after: $after, filter: $filter) { totalCount nodes { id payload result } }
    }`
    const filter = fc.record(
      { name: text, types: fc.array(text), minPriority: fc.integer(), maxPriority: fc.integer() },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(text, fc.option(text), filter, async (id, after, wanted) => {
        const { body } = await post('/graphql', { query, variables: { id, after, filter: wanted } })
        const { errors = [] } = body as { errors?: { extensions?: { code?: string } }[] }
        for (const { extensions } of errors) {
          expect(['INVALID_CURSOR', 'INVALID_ARGUMENT']).toContain(extensions?.code)
        }
      }),
      { numRuns: 150 },
    )
  })
})
