import { describe, expect, it } from 'vitest'
import { fieldsOf, payloadOf, readJson, valuesOf, type PayloadField } from './payload-fields.ts'

const fields = (properties: Record<string, unknown>, required: string[] = []): PayloadField[] =>
  fieldsOf({ type: 'object', properties, required }) ?? []

describe('fields of a schema', () => {
  it.each([
    [{ type: 'string' }, 'text'],
    [{ type: 'number' }, 'number'],
    [{ type: 'integer' }, 'integer'],
    [{ type: 'boolean' }, 'flag'],
    [{ type: 'string', enum: ['cover', 'fill'] }, 'choice'],
    [{ type: 'string', contentMediaType: 'image/*' }, 'file'],
    [{ type: 'array', items: { type: 'number' } }, 'numbers'],
    [{ type: 'array', items: { type: 'string' } }, 'json'],
    [{ type: 'object' }, 'json'],
    [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, 'json'],
    [{}, 'json'],
  ])('%j is written as %s', (schema, kind) => {
    expect(fields({ it: schema })[0]?.kind).toBe(kind)
  })

  it.each([
    [{ description: 'Pixels', minimum: 1, maximum: 8192 }, 'Pixels; 1 to 8192'],
    [{ minimum: 1 }, '1 or more'],
    [{ maximum: 5 }, '5 at most'],
    [{ default: 'cover' }, 'cover unless told'],
    [{ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, undefined],
    [{}, undefined],
  ])('%j has the hint %s', (schema, hint) => {
    expect(fields({ it: schema })[0]?.hint).toBe(hint)
  })

  it.each([null, 'object', { type: 'array' }, { type: 'object' }, { anyOf: [] }])(
    'are none in %j, which is written as JSON',
    (schema) => expect(fieldsOf(schema)).toBeNull(),
  )
})

describe('the payload of fields', () => {
  const every = fields(
    {
      text: { type: 'string' },
      number: { type: 'number' },
      flag: { type: 'boolean' },
      numbers: { type: 'array', items: { type: 'number' } },
      json: { type: 'object' },
      choice: { enum: ['a', 'b'] },
    },
    ['text', 'numbers', 'number'],
  )

  it('goes into the controls and comes out the same', () => {
    const payload = {
      text: 'a "b"\nc',
      number: -1.5,
      flag: false,
      numbers: [1, 2.5, -3],
      json: { deep: [null, 'x'] },
      choice: 'b',
    }
    expect(payloadOf(every, valuesOf(every, payload))).toEqual({ payload, problems: {} })
  })

  it('leaves out what is empty and may be', () => {
    expect(payloadOf(every, { text: 'x', number: '1', numbers: '1' }).payload).toEqual({
      text: 'x',
      number: 1,
      numbers: [1],
    })
  })

  it('has empty text and an empty list where they are needed, and misses a number', () => {
    expect(payloadOf(every, {})).toEqual({
      payload: { text: '', numbers: [] },
      problems: { number: 'This is needed' },
    })
  })

  it.each(['1 2 3', '1,2,3', '[1, 2, 3]', '1;\n2;\n3', ' 1,, 2, 3, '])(
    'reads the numbers in %j',
    (numbers) =>
      expect(payloadOf(every, { numbers, number: '0' }).payload.numbers).toEqual([1, 2, 3]),
  )

  it('says which word is no number, and which JSON is none', () => {
    const { problems } = payloadOf(every, { numbers: '1, two', number: 'x', json: '{' })
    expect(problems.numbers).toContain('“two”')
    expect(problems.number).toBe('This is not a number')
    expect(problems.json).toContain('This is not JSON')
  })
})

it('JSON is read, or it is told why it is none', () => {
  expect(readJson('{"a":[1]}')).toEqual({ ok: true, value: { a: [1] } })
  expect(readJson('')).toMatchObject({ ok: false })
})
