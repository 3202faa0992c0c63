import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbeddedDatabase, type TestDatabase } from '../../test/databases.ts'
import { jsonArray, plainArray, textArray } from './parameters.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await openEmbeddedDatabase()
})
afterAll(() => database.drop())

/** what the database makes of a parameter */
async function taken<T>(expression: string, parameter: string): Promise<T[]> {
  const { rows } = await database.store.pool.query<{ value: T }>(
    `SELECT value FROM ${expression} AS t (value)`,
    [parameter],
  )
  return rows.map(({ value }) => value)
}

test('texts arrive as they are, whatever is in them', async () => {
  const text = fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll('\0', ''))
  const tricky = fc.constantFrom(
    '',
    'NULL',
    '{',
    '}',
    ',',
    '"',
    '\\',
    '\\"',
    "'",
    '\n',
    ' x ',
    null,
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(text, tricky), { minLength: 1 }), async (values) => {
      expect(await taken('unnest($1::text[])', textArray(values))).toEqual(values)
    }),
    { numRuns: 200 },
  )
})

test('JSON texts arrive letter by letter', async () => {
  const text = fc.oneof(
    fc.json(),
    fc.constantFrom('"\\u0000"', '"\\ud800"', '1.0e2', ' { "a" : 1 } ', 'null'),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1 }), async (values) => {
      const expression = '(SELECT e::text FROM json_array_elements($1::json) AS e)'
      // Space around a value is no part of it.
      expect(await taken(expression, jsonArray(values))).toEqual(
        values.map((value) => value.trim()),
      )
    }),
    { numRuns: 200 },
  )
})

test('numbers arrive exactly', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })), { minLength: 1 }),
      async (values) => {
        const expected = values.map((value) => (value === 0 ? 0 : value))
        const arrived = await taken<number | null>('unnest($1::float8[])', plainArray(values))
        expect(arrived.map((value) => (value === 0 ? 0 : value))).toEqual(expected)
      },
    ),
    { numRuns: 200 },
  )
})
