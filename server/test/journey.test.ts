import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { startTestApp, type RestJob, type TestApp } from './app.ts'

const numbers = Array.from({ length: 10 }, (_, index) => index + 1)

describe('a job from submission to history', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startTestApp({ WORKER_1_THREADS: '4', WORKER_2_THREADS: '8' })
  })
  afterAll(() => app.close())

  const submit = async (job: Record<string, unknown>): Promise<RestJob> => {
    const { status, body } = await app.post('/jobs', job)
    expect(status).toBe(201)
    return body
  }

  it('goes by REST: submitted with a demand of four threads, it runs on four and gives 55', async () => {
    const { id } = await submit({
      name: 'Sum large array',
      type: 'large_array_sum',
      priority: 10,
      thread_demand: 4,
      payload: { numbers },
    })
    const job = await app.ended(id)
    expect(job).toMatchObject({
      state: 'COMPLETED',
      result: 55,
      width: 4,
      width_reason: 'AS_DEMANDED',
    })
  })

  it('goes by GraphQL: the same job, and the three times in history and in REST alike', async () => {
    const { submitJob } = await app.graphql<{ submitJob: { id: string; state: string } }>(
      `mutation ($numbers: [Float!]!) {
        submitJob(input: { name: "Sum", typedPayload: { largeArraySum: { numbers: $numbers } }, threadDemand: 4 }) { id state }
      }`,
      { numbers },
    )
    expect(submitJob.state).toBe('QUEUED')
    await app.ended(submitJob.id)

    const { history } = await app.graphql<{
      history: {
        nodes: {
          id: string
          result: unknown
          queueTimeMs: number
          executionTimeMs: number
          totalTimeMs: number
        }[]
      }
    }>('{ history(first: 500) { nodes { id result queueTimeMs executionTimeMs totalTimeMs } } }')
    const inHistory = history.nodes.find(({ id }) => id === submitJob.id)
    expect(inHistory).toMatchObject({ result: 55 })
    expect(inHistory?.queueTimeMs).toBeGreaterThanOrEqual(0)
    expect(inHistory?.executionTimeMs).toBeGreaterThan(0)
    expect(inHistory?.totalTimeMs).toBeGreaterThanOrEqual(inHistory?.executionTimeMs ?? Infinity)

    const { body } = await app.get('/db/jobs?limit=500')
    const { jobs } = body as { jobs: RestJob[] }
    expect(jobs.find(({ id }) => id === submitJob.id)).toMatchObject({
      queue_time_ms: inHistory?.queueTimeMs,
      execution_time_ms: inHistory?.executionTimeMs,
      total_time_ms: inHistory?.totalTimeMs,
    })
  })

  it('is refused with all that is wrong, options and payload alike, in the words of the door', async () => {
    const { status, body } = await app.post('/jobs', {
      type: 'add_numbers',
      thread_demand: 5000,
      payload: { a: 'one', b: 2 },
    })
    expect(status).toBe(400)
    const { issues } = body as { issues: { path: unknown[] }[] }
    expect(issues.map(({ path }) => path)).toEqual([['thread_demand'], ['payload', 'a']])
    const answer = app.graphql(
      'mutation { submitJob(input: { type: "add_numbers", priority: 9999, payload: { a: 1 } }) { id } }',
    )
    await expect(answer).rejects.toThrow(/"priority".*"payload","b"/)
  })

  it('is told to subscribers as QUEUED, RUNNING, COMPLETED, in this order', async () => {
    const client = createClient({
      url: app.url.replace('http', 'ws') + '/graphql',
      webSocketImpl: WebSocket,
    })
    const states: string[] = []
    const name = 'watched'
    const done = new Promise<void>((resolve, reject) => {
      client.subscribe<{ jobUpdated: { state: string; result: unknown } }>(
        {
          query:
            'subscription ($name: String!) { jobUpdated(filter: { name: $name }) { state result } }',
          variables: { name },
        },
        {
          next({ data, errors }) {
            if (errors || !data) return reject(new Error(JSON.stringify(errors)))
            states.push(data.jobUpdated.state)
            if (data.jobUpdated.state !== 'COMPLETED') return
            expect(data.jobUpdated.result).toBe('olleh')
            resolve()
          },
          error: reject,
          complete: () => undefined,
        },
      )
    })
    // The subscription is there once another one on the same socket has been answered.
    await new Promise<void>((resolve, reject) => {
      client.subscribe(
        { query: '{ __typename }' },
        { next: () => undefined, error: reject, complete: resolve },
      )
    })
    await submit({ name, type: 'reverse_string', payload: { text: 'hello' } })
    await done
    expect(states).toEqual(['QUEUED', 'RUNNING', 'COMPLETED'])
    await client.dispose()
  })

  it('is told together with others to who watches many: read when it says so, changed by what follows', async () => {
    const client = createClient({
      url: app.url.replace('http', 'ws') + '/graphql',
      webSocketImpl: WebSocket,
    })
    interface Told {
      jobsUpdated: { jobs: { id: string; state: string; result: unknown }[]; incomplete: boolean }
    }
    const results = new Map<string, unknown>()
    const told: Told['jobsUpdated'][] = []
    let asked = (): void => undefined
    const listening = new Promise<void>((resolve) => (asked = resolve))
    const done = new Promise<void>((resolve, reject) => {
      client.subscribe<Told>(
        {
          query:
            'subscription { jobsUpdated(filter: { name: "together" }) { jobs { id state result } incomplete } }',
        },
        {
          next({ data, errors }) {
            if (errors || !data) return reject(new Error(JSON.stringify(errors)))
            told.push(data.jobsUpdated)
            asked()
            for (const { id, state, result } of data.jobsUpdated.jobs) {
              if (state === 'COMPLETED') results.set(id, result)
            }
            if (results.size === 3) resolve()
          },
          error: reject,
          complete: () => undefined,
        },
      )
    })
    await listening
    expect(told[0]).toEqual({ jobs: [], incomplete: true })
    const job = { name: 'together', type: 'add_numbers' }
    await Promise.all([1, 2, 3].map((a) => submit({ ...job, payload: { a, b: 1 } })))
    await done
    expect([...results.values()].map(Number).sort()).toEqual([2, 3, 4])
    await client.dispose()
  })

  it('is told the same by server-sent events', async () => {
    const aborter = new AbortController()
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({
        query: 'subscription { jobUpdated(filter: { name: "streamed" }) { state } }',
      }),
      signal: aborter.signal,
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    await submit({ name: 'streamed', type: 'reverse_string', payload: { text: 'hello' } })
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (text.includes('COMPLETED')) break
    }
    aborter.abort()
    expect([...text.matchAll(/"state":"([A-Z]+)"/g)].map(([, state]) => state)).toEqual([
      'QUEUED',
      'RUNNING',
      'COMPLETED',
    ])
  })

  it('sums a million integers to the same number on 1, 4 and 8 threads, and on 1 where 64 are asked for', async () => {
    const million = Array.from({ length: 1_000_000 }, (_, index) => (index * 7919) % 1_000_003)
    const sum = million.reduce((total, value) => total + value, 0)
    for (const [demand, width, reason] of [
      [1, 1, 'AS_DEMANDED'],
      [4, 4, 'AS_DEMANDED'],
      [8, 8, 'AS_DEMANDED'],
      [64, 1, 'NO_WORKER_LARGE_ENOUGH'],
    ] as const) {
      const { id } = await submit({
        type: 'large_array_sum',
        thread_demand: demand,
        payload: { numbers: million },
      })
      expect(await app.ended(id)).toMatchObject({
        state: 'COMPLETED',
        result: sum,
        width,
        width_reason: reason,
      })
    }
  })

  it('gives a type with no parallel form one thread, whatever it asks for', async () => {
    const { id } = await submit({
      type: 'add_numbers',
      thread_demand: 8,
      payload: { a: 13, b: 42 },
    })
    expect(await app.ended(id)).toMatchObject({
      result: 55,
      width: 1,
      width_reason: 'TYPE_NOT_PARALLEL',
    })
  })
})
