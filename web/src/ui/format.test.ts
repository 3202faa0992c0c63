import { describe, expect, it } from 'vitest'
import { formatCount, formatDuration, formatMoment, formatType } from './format.ts'

describe('a duration', () => {
  it.each([
    [0, '0.00 ms'],
    [0.424, '0.42 ms'],
    [0.996, '1.0 ms'],
    [9.94, '9.9 ms'],
    [9.96, '10 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [3_140, '3.1 s'],
    [9_960, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min 00 s'],
    [60_000, '1 min 00 s'],
    [245_000, '4 min 05 s'],
    [3_599_900, '1 h 00 min'],
    [3_600_000, '1 h 00 min'],
    [7_800_000, '2 h 10 min'],
    [273_600_000, '3 d 4 h'],
  ])('of %d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  it.each([null, undefined])('that is not known (%s) is a dash', (ms) =>
    expect(formatDuration(ms)).toBe('–'),
  )
})

describe('a moment', () => {
  const now = new Date(2026, 2, 1, 18, 0, 0)
  const at = (...parts: [number, number, number, number, number, number]): string =>
    formatMoment(new Date(...parts).toISOString(), now)

  it('of today is a time', () => expect(at(2026, 2, 1, 14, 3, 7)).toBe('14:03:07'))
  it('of another day has the day', () => expect(at(2026, 1, 28, 14, 3, 7)).toBe('28 Feb 14:03:07'))
  it('of another year has the year', () =>
    expect(at(2025, 11, 31, 14, 3, 7)).toBe('31 Dec 2025 14:03:07'))
  it('that is not known is a dash', () => expect(formatMoment(null)).toBe('–'))
})

it('counts have separators, and types are words', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567')
  expect(formatType('large_array_sum')).toBe('Large array sum')
})
