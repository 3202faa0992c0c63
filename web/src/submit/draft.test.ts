import { describe, expect, it } from 'vitest'
import { inputOf, noOptions, problemsOf, switched, type Draft, type Options } from './draft.ts'
import { fieldsOf } from './payload-fields.ts'

const schema = {
  type: 'object',
  properties: { width: { type: 'integer' }, note: { type: 'string' } },
  required: ['width'],
}
const draft = (change: Partial<Draft> = {}): Draft => ({
  type: 'resize_image',
  options: noOptions,
  fields: fieldsOf(schema),
  values: { width: '320' },
  json: null,
  ...change,
})
const withOptions = (options: Partial<Options>) =>
  inputOf(draft({ options: { ...noOptions, ...options } }))

describe('what a draft submits', () => {
  it('is the payload and what the options say, in the units of the server', () => {
    const { input, problems } = withOptions({
      name: '  Banner ',
      priority: '10',
      threadDemand: '4',
      delayS: '1.5',
      maxAttempts: '2',
      timeoutS: '0.1',
    })
    expect(problems).toEqual({})
    expect(input).toEqual({
      type: 'resize_image',
      payload: { width: 320 },
      name: 'Banner',
      priority: 10,
      threadDemand: 4,
      delayMs: 1500,
      maxAttempts: 2,
      timeoutMs: 100,
    })
  })

  it('leaves to the server what is empty', () => {
    expect(withOptions({ priority: '', threadDemand: ' ' }).input).toEqual({
      type: 'resize_image',
      payload: { width: 320 },
    })
  })

  it.each([
    ['priority', 'high', 'This is not a number'],
    ['threadDemand', '1.5', 'This is not a whole number'],
    ['maxAttempts', '99999999999', 'This is too large'],
    ['timeoutS', '1e300', 'This is too large'],
  ] as const)('has a problem at %s with %s', (control, text, problem) => {
    expect(withOptions({ [control]: text }).problems).toEqual({ [control]: problem })
  })

  it('names a wrong field by its control, and wrong JSON by the one control it has', () => {
    expect(inputOf(draft({ values: { width: 'x' } })).problems).toEqual({
      'payload.width': 'This is not a number',
    })
    expect(Object.keys(inputOf(draft({ json: '{' })).problems)).toEqual(['payload'])
  })
})

describe('what the server refuses', () => {
  it('is told at the controls that it is about', () => {
    const issues = [
      { path: ['threadDemand'], message: 'too many' },
      { path: ['timeoutMs'], message: 'too long' },
      { path: ['payload', 'width'], message: 'too small' },
      { path: ['payload', 'list', 3, 'x'], message: 'no' },
      { path: ['payload'], message: 'unknown field' },
    ]
    expect(problemsOf(issues, true)).toEqual({
      threadDemand: 'too many',
      timeoutS: 'too long',
      'payload.width': 'too small',
      'payload.list': '3.x: no',
      payload: 'unknown field',
    })
    expect(problemsOf(issues.slice(2), false)).toEqual({
      payload: 'width: too small\nlist.3.x: no\nunknown field',
    })
  })
})

describe('switching between fields and JSON', () => {
  const jsonOf = (change: Partial<Draft>): unknown =>
    JSON.parse(switched(draft(change)).draft.json ?? '')

  it('takes along what was written, readable or not', () => {
    expect(jsonOf({ values: { width: '12', note: 'x' } })).toEqual({ width: 12, note: 'x' })
    expect(jsonOf({ values: { width: 'wide' } })).toEqual({ width: 'wide' })
  })

  it('comes back to the same fields', () => {
    const values = { width: 'wide', note: 'x' }
    const there = switched(draft({ values })).draft
    expect(switched(there).draft).toMatchObject({ json: null, values })
  })

  it.each([
    ['{', 'This is not JSON'],
    ['[1]', 'Only an object has fields'],
    ['null', 'Only an object has fields'],
    ['{"width": 1, "depth": 2}', 'no field for “depth”'],
  ])('stays with %s, and says why', (json, problem) => {
    const result = switched(draft({ json }))
    expect(result.draft.json).toBe(json)
    expect(result.problems.payload).toContain(problem)
  })
})
