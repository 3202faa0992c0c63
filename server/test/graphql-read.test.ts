import { beforeEach, describe, expect, it } from 'vitest'
import type { Api } from '../src/api/http.ts'
import { query, refusal, submitJob, submitted } from './fakes/graphql.ts'
import { createFakeApi, createFakeServices, type FakeServices } from './fakes/services.ts'

let services: FakeServices
let api: Api
beforeEach(() => {
  services = createFakeServices()
  api = createFakeApi(services)
})

describe('one job', () => {
  it('is found by job and by node under the same id; an unknown or malformed id is null', async () => {
    const [id] = await submitted(api, 1)
    const text = 'query ($id: ID!) { job(id: $id) { id } node(id: $id) { __typename id } }'
    expect((await query(api, text, { id })).data).toEqual({
      job: { id },
      node: { __typename: 'Job', id },
    })
    expect((await query(api, text, { id: 'nonsense' })).data).toEqual({ job: null, node: null })
  })

  it('shows its result, its times and its error', async () => {
    const [id = ''] = await submitted(api, 1)
    services.complete(id, 3)
    const fields =
      'state result queueTimeMs executionTimeMs totalTimeMs finishedAt error { message }'
    const { data } = await query(api, `query ($id: ID!) { job(id: $id) { ${fields} } }`, { id })
    expect(data).toMatchObject({
      job: {
        state: 'COMPLETED',
        result: 3,
        queueTimeMs: 1,
        executionTimeMs: 2,
        totalTimeMs: 3,
        error: null,
      },
    })
    services.change(id, {
      state: 'FAILED',
      error: { name: 'Error', message: 'no', code: 'TIMEOUT' },
    })
    const failed = await query(
      api,
      `query ($id: ID!) { job(id: $id) { result error { message code } } }`,
      { id },
    )
    expect(failed.data).toEqual({
      job: { result: null, error: { message: 'no', code: 'TIMEOUT' } },
    })
  })
})

describe('decisions', () => {
  it('are told newest first, with what belongs to each kind', async () => {
    const text =
      'query ($jobId: ID) { decisions(first: 5, jobId: $jobId) { kind jobId reason startAt } }'
    expect((await query(api, text)).data).toEqual({
      decisions: [
        { kind: 'RESERVE', jobId: 'large', reason: null, startAt: '1970-01-01T00:00:05.000Z' },
        { kind: 'START', jobId: 'small', reason: 'SPARE_THREADS', startAt: null },
      ],
    })
    expect((await query(api, text, { jobId: 'small' })).data?.['decisions']).toHaveLength(1)
  })
})

describe('simulate', () => {
  it.each([
    ['limit: 0', ['input', 'limit']],
    ['unknownMs: 0', ['input', 'unknownMs']],
    ['workers: [{ name: "w", threads: 0 }]', ['input', 'workers', 0, 'threads']],
    ['workers: [{ name: "w", threads: 1 }, { name: "w", threads: 1 }]', ['input', 'workers']],
    ['priorities: [{ priority: 1 }]', ['input', 'priorities', 0]],
    ['priorities: [{ type: "a", jobId: "b", priority: 1 }]', ['input', 'priorities', 0]],
    ['priorities: [{ type: "a", priority: 9999 }]', ['input', 'priorities', 0, 'priority']],
    ['demands: [{ type: "a", threadDemand: 0 }]', ['input', 'demands', 0, 'threadDemand']],
  ])('refuses %s', async (input, path) => {
    expect(await refusal(api, `{ simulate(input: { ${input} }) { jobs } }`)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path,
    })
  })

  it('needs no changes', async () => {
    const { data } = await query(api, '{ simulate { jobs waits { p90Ms } workers { name } } }')
    expect(data).toEqual({ simulate: { jobs: 0, waits: { p90Ms: 0 }, workers: [] } })
  })
})

describe('lists', () => {
  const jobs = `query ($filter: JobFilter, $first: Int, $after: String) {
    jobs(filter: $filter, first: $first, after: $after) {
      nodes { name } edges { cursor node { name } } pageInfo { hasNextPage endCursor } totalCount
    }
  }`
  interface Connection {
    nodes: { name: string }[]
    pageInfo: { hasNextPage: boolean; endCursor: string | null }
    totalCount: number
  }
  const list = async (variables: Record<string, unknown>): Promise<Connection> => {
    const { data, errors } = await query(api, jobs, variables)
    expect(errors).toBeUndefined()
    return (data as unknown as { jobs: Connection }).jobs
  }

  it('page forward by cursor, and filter', async () => {
    await submitted(api, 5)
    const one = await list({ first: 2 })
    expect(one).toMatchObject({ nodes: [{ name: 'Job 4' }, { name: 'Job 3' }], totalCount: 5 })
    const two = await list({ first: 4, after: one.pageInfo.endCursor })
    expect(two).toMatchObject({
      nodes: [{ name: 'Job 2' }, {}, {}],
      pageInfo: { hasNextPage: false },
    })
    const some = await list({ filter: { minPriority: 1, maxPriority: 2, states: ['QUEUED'] } })
    expect(some.nodes.map(({ name }) => name)).toEqual(['Job 2', 'Job 1'])
    expect((await list({ filter: { types: ['add_numbers'] } })).nodes).toEqual([])
  })

  it.each([
    [{ first: 0 }, 'INVALID_ARGUMENT', ['first']],
    [{ first: 501 }, 'INVALID_ARGUMENT', ['first']],
    [{ first: -2147483648 }, 'INVALID_ARGUMENT', ['first']],
    [{ after: 'nonsense' }, 'INVALID_CURSOR', undefined],
    [{ filter: { minPriority: 2, maxPriority: 1 } }, 'INVALID_ARGUMENT', ['filter', 'minPriority']],
  ])('refuse %j', async (variables, code, path) => {
    expect(await refusal(api, jobs, variables)).toMatchObject({ code, path })
  })

  it('read payloads and results of a whole page in one round trip, and not at all unless selected', async () => {
    await submitted(api, 50)
    await query(api, '{ jobs { nodes { id name } } }')
    expect(services.documentReads).toEqual([])
    await query(api, '{ jobs { nodes { payload result } } }')
    expect(services.documentReads).toHaveLength(1)
    expect(services.documentReads[0]).toHaveLength(50)
  })
})

describe('the cluster', () => {
  it('shows workers with their threads and the jobs on them', async () => {
    const [id = ''] = await submitted(api, 1)
    services.workerViews.push({
      nodeId: 'n',
      nodeName: 'here',
      name: 'worker-1',
      threads: 2,
      busy: [id, null],
    })
    const { data } = await query(
      api,
      '{ workers { id threadCount busyThreads threads { index busy jobId job { id } } } }',
    )
    expect(data).toEqual({
      workers: [
        {
          id: 'n:worker-1',
          threadCount: 2,
          busyThreads: 1,
          threads: [
            { index: 0, busy: true, jobId: id, job: { id } },
            { index: 1, busy: false, jobId: null, job: null },
          ],
        },
      ],
    })
  })

  it('adds minutes up to points and weighs the means', async () => {
    const row = {
      type: 'a',
      failed: 0,
      cancelled: 0,
      queueTimeMs: 0,
      executionTimeMs: 0,
      totalTimeMs: 0,
    }
    services.read.metrics = () =>
      Promise.resolve([
        { ...row, minute: 900_000, completed: 1, queueTimeMs: 10, totalTimeMs: 10 },
        { ...row, minute: 960_000, completed: 3, queueTimeMs: 2, totalTimeMs: 2 },
        { ...row, minute: 1_800_000, completed: 1, cancelled: 1 },
      ])
    await submitted(api, 2)
    const { data } = await query(
      api,
      '{ metrics(window: DAY) { counts { queued } completed cancelled meanQueueTimeMs points { at completed meanQueueTimeMs } } }',
    )
    expect(data).toEqual({
      metrics: {
        counts: { queued: 2 },
        completed: 5,
        cancelled: 1,
        meanQueueTimeMs: 2.4,
        points: [
          { at: '1970-01-01T00:15:00.000Z', completed: 4, meanQueueTimeMs: 3 },
          { at: '1970-01-01T00:30:00.000Z', completed: 1, meanQueueTimeMs: 0 },
        ],
      },
    })
  })

  it('gives for each job type an example that is accepted as it stands', async () => {
    const { data } = await query(api, '{ jobTypes { type example payloadSchema } }')
    const types = (data as unknown as { jobTypes: { type: string; example: unknown }[] }).jobTypes
    expect(types).toHaveLength(4)
    for (const { type, example } of types) {
      const { errors } = await query(api, submitJob, { input: { type, payload: example } })
      expect(errors, type).toBeUndefined()
    }
  })
})
