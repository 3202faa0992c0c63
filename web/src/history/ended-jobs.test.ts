import { describe, expect, it } from 'vitest'
import { job } from '../testing/jobs.ts'
import { withNewer, withPage } from './ended-jobs.ts'

const ended = (id: string, second: number) =>
  job({ id, state: 'COMPLETED', finishedAt: `2026-03-01T12:00:0${second}.000Z` })
const ids = (rows: { id: string }[]): string => rows.map(({ id }) => id).join('')

describe('the list of ended jobs', () => {
  it('has the last ended on top, however they come', () => {
    const rows = [ended('b', 2), ended('a', 1)]
    expect(ids(withNewer(rows, [ended('c', 3), ended('d', 4)]))).toBe('dcba')
    expect(ids(withNewer(rows, [ended('c', 1)]))).toBe('bca')
  })

  it('lists a job once that was retried and has ended again', () => {
    const rows = [ended('b', 2), ended('a', 1)]
    const again = withNewer(rows, [ended('a', 3)])
    expect(ids(again)).toBe('ab')
    expect(again[0]?.finishedAt).toBe('2026-03-01T12:00:03.000Z')
  })

  it('adds a page below, without jobs that it has', () => {
    const rows = [ended('c', 3), ended('b', 2)]
    expect(ids(withPage(rows, [ended('b', 2), ended('a', 1)]))).toBe('cba')
  })
})
