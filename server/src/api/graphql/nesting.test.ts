import { expect, it } from 'vitest'
import { nestingOf } from './nesting.ts'

it.each([
  ['{ jobs { nodes { id } } }', 3],
  ['{ a(b: [[{ c: 1 }]]) }', 5],
  ['{ a(b: "[[[[ \\" [[[") }', 2],
  ['{ a(b: """ [[[ \\""" [[[ " """) }', 2],
  ['# [[[[\n{ a }', 1],
  ['[', 1],
  [']]]', 0],
  ['', 0],
])('the brackets of %s nest %i deep', (document, depth) => {
  expect(nestingOf(document)).toBe(depth)
})

it('takes a document of megabytes, whatever it is full of', () => {
  for (const part of ['[', '"', '"""', '\\', '#', '"a" ', '" \\"', '\\"""']) {
    expect(nestingOf(`"""${part.repeat(300_000)}`)).toBeGreaterThanOrEqual(0)
    expect(nestingOf(part.repeat(300_000))).toBeGreaterThanOrEqual(0)
  }
})
