import { beforeEach, describe, expect, it } from 'vitest'
import type { Api } from '../src/api/http.ts'
import { query, refusal, submitJob, submitJobs, submitted, sum } from './fakes/graphql.ts'
import { createFakeApi, createFakeServices, type FakeServices } from './fakes/services.ts'

let services: FakeServices
let api: Api
beforeEach(() => {
  services = createFakeServices()
  api = createFakeApi(services)
})

describe('submitJob', () => {
  it('takes a payload as JSON, and names the job after its type unless told', async () => {
    const { data } = await query(api, submitJob, { input: sum })
    expect(data).toMatchObject({
      submitJob: { name: 'large_array_sum', state: 'QUEUED', payload: { numbers: [1, 2] } },
    })
  })

  it.each([
    ['addNumbers', { a: 1, b: 2 }, 'add_numbers', { a: 1, b: 2 }],
    ['largeArraySum', { numbers: [1, 2] }, 'large_array_sum', { numbers: [1, 2] }],
    ['resizeImage', { width: 5, fit: 'fill' }, 'resize_image', { width: 5, fit: 'fill' }],
    ['resizeImage', { width: 5, height: null }, 'resize_image', { width: 5, fit: 'cover' }],
  ])('takes a typed payload: %s', async (field, value, type, payload) => {
    const { data } = await query(api, submitJob, { input: { typedPayload: { [field]: value } } })
    expect(data).toMatchObject({ submitJob: { type, payload } })
  })

  it.each([
    ['an unknown type', { type: 'nonsense', payload: {} }, 'UNKNOWN_JOB_TYPE', undefined],
    ['no type', { payload: {} }, 'INVALID_JOB', ['type']],
    [
      'two payloads',
      { ...sum, typedPayload: { addNumbers: { a: 1, b: 2 } } },
      'INVALID_JOB',
      ['payload'],
    ],
    [
      'a type that contradicts the typed payload',
      { type: 'add_numbers', typedPayload: { reverseString: { text: 'a' } } },
      'INVALID_JOB',
      ['type'],
    ],
    ['a priority out of range', { ...sum, priority: -1001 }, 'INVALID_JOB', ['priority']],
    ['a thread demand of none', { ...sum, threadDemand: 0 }, 'INVALID_JOB', ['threadDemand']],
    [
      'two words on threads',
      { ...sum, threadDemand: 2, threads: { preferred: 2 } },
      'INVALID_JOB',
      ['threads'],
    ],
    [
      'most threads below the preferred ones',
      { ...sum, threads: { preferred: 2, max: 1 } },
      'INVALID_JOB',
      ['threads', 'max'],
    ],
    [
      'a wrong place in a payload',
      { ...sum, payload: { numbers: [1, 'x'] } },
      'INVALID_PAYLOAD',
      ['payload', 'numbers', 1],
    ],
    [
      'a wrong place in a typed payload',
      { typedPayload: { resizeImage: { width: 0 } } },
      'INVALID_PAYLOAD',
      ['typedPayload', 'resizeImage', 'width'],
    ],
    [
      'a delay and a time',
      { ...sum, delayMs: 5, runAt: '2030-01-01T00:00:00Z' },
      'INVALID_JOB',
      ['runAt'],
    ],
  ])('refuses %s and stores nothing', async (_what, input, code, path) => {
    expect(await refusal(api, submitJob, { input })).toMatchObject({ code, path })
    expect(services.jobs.size).toBe(0)
  })

  it.each([
    [
      'two typed payloads',
      { typedPayload: { addNumbers: { a: 1, b: 2 }, reverseString: { text: 'a' } } },
    ],
    ['an unknown field', { ...sum, colour: 'red' }],
    ['a priority that is no integer', { ...sum, priority: 1.5 }],
    ['a time that is none', { ...sum, runAt: 'tomorrow' }],
  ])('leaves %s to GraphQL', async (_what, input) => {
    const { errors } = await query(api, submitJob, { input })
    expect(errors?.[0]?.message).toMatch(/Variable "\$input"/)
    expect(services.jobs.size).toBe(0)
  })
})

describe('submitJobs', () => {
  it('answers in order with one statement for all', async () => {
    expect(await submitted(api, 3)).toEqual([...services.jobs.keys()])
  })

  it('accepts none where one is wrong, and leads to it', async () => {
    const inputs = [sum, { typedPayload: { resizeImage: { width: -1 } } }]
    expect(await refusal(api, submitJobs, { inputs })).toMatchObject({
      code: 'INVALID_PAYLOAD',
      path: [1, 'typedPayload', 'resizeImage', 'width'],
    })
    expect(services.jobs.size).toBe(0)
  })

  it('takes a thousand at a time and not one more', async () => {
    expect(await submitted(api, 1000)).toHaveLength(1000)
    const inputs = Array.from({ length: 1001 }, () => sum)
    expect(await refusal(api, submitJobs, { inputs })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      path: ['inputs'],
    })
    expect(await refusal(api, submitJobs, { inputs: [] })).toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })
})

describe('cancel and retry', () => {
  it('end a job and put it back', async () => {
    const [id] = await submitted(api, 1)
    const cancelled = await query(api, 'mutation ($id: ID!) { cancelJob(id: $id) { state } }', {
      id,
    })
    expect(cancelled.data).toEqual({ cancelJob: { state: 'CANCELLED' } })
    expect(
      await refusal(api, 'mutation ($id: ID!) { cancelJob(id: $id) { state } }', { id }),
    ).toMatchObject({ code: 'JOB_FINISHED' })
    const retried = await query(api, 'mutation ($id: ID!) { retryJob(id: $id) { id state } }', {
      id,
    })
    expect(retried.data).toEqual({ retryJob: { id, state: 'QUEUED' } })
    expect(await refusal(api, 'mutation { retryJob(id: "x") { id } }')).toMatchObject({
      code: 'JOB_NOT_FOUND',
    })
  })

  it('cancel many in one call', async () => {
    const ids = await submitted(api, 3)
    const { data } = await query(
      api,
      'mutation ($ids: [ID!]!) { cancelJobs(ids: $ids) { id state } }',
      { ids },
    )
    expect(data).toEqual({ cancelJobs: ids.map((id) => ({ id, state: 'CANCELLED' })) })
  })
})
