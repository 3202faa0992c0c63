import { describe, expect, it } from 'vitest'
import { prettyJson } from './pretty-json.ts'

describe('pretty JSON', () => {
  it('keeps a list of plain values on one line and indents all else', () => {
    expect(prettyJson({ numbers: [1, 2, 3], deep: { list: [{ a: null }, []] }, none: {} })).toBe(
      `{
  "numbers": [1, 2, 3],
  "deep": {
    "list": [
      {
        "a": null
      },
      []
    ]
  },
  "none": {}
}`,
    )
  })

  it.each([
    null,
    true,
    'a "quoted"\nline',
    -1.5e300,
    [],
    {},
    [[1], ['x', null]],
    { 'a "b"': [{ c: [] }] },
  ])('of %j reads back the same', (value) => {
    expect(JSON.parse(prettyJson(value))).toEqual(value)
  })

  it('of what JSON has no word for is null', () => {
    expect(prettyJson(undefined)).toBe('null')
    expect(prettyJson({ gone: undefined, list: [undefined] })).toBe('{\n  "list": [null]\n}')
  })
})
