import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import addNumbers from './add-numbers.ts'
import reverseString from './reverse-string.ts'
import { runJob } from './testing.ts'

describe('add_numbers', () => {
  it('adds', async () => {
    expect(await runJob(addNumbers, { a: 13, b: 42 })).toBe(55)
    expect(await runJob(addNumbers, { a: 0.5, b: -2 })).toBe(-1.5)
  })

  it('fails where JSON could not carry the sum, which would else come out as null', async () => {
    await expect(runJob(addNumbers, { a: 1e308, b: 1e308 })).rejects.toThrow(/largest number/)
  })
})

describe('reverse_string', () => {
  const reverse = (text: string) => runJob(reverseString, { text })

  it.each([
    ['letters', 'hello', 'olleh'],
    ['nothing', '', ''],
    ['a letter and its accent, in two code points', 'cafe\u0301!', '!e\u0301fac'],
    ['a family, of three people and two joiners', 'a👨‍👩‍👧b', 'b👨‍👩‍👧a'],
    ['flags, of two letters each', '🇸🇪🇯🇵', '🇯🇵🇸🇪'],
    ['a skin tone', '👍🏽x', 'x👍🏽'],
    ['a line break of two characters', 'a\r\nb', 'b\r\na'],
    ['Devanagari', 'नमस्ते', 'स्तेमन'],
  ])('keeps whole: %s', async (_what, text, reversed) => {
    expect(await reverse(text)).toBe(reversed)
  })

  it('done twice gives the text back, where no new characters form at the seams', async () => {
    const words = fc.array(fc.constantFrom('a', 'Ω', 'e\u0301', '👨‍👩‍👧', '字', ' ', '👍🏽'))
    await fc.assert(
      fc.asyncProperty(words, async (characters) => {
        const text = characters.join('')
        expect(await reverse(text)).toBe(characters.toReversed().join(''))
        expect(await reverse(String(await reverse(text)))).toBe(text)
      }),
    )
  })
})
