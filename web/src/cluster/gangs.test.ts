import { describe, expect, it } from 'vitest'
import { gangsOf, hueOf } from './gangs.ts'

const thread = (index: number, jobId: string | null, name = '') => ({
  index,
  busy: jobId !== null,
  jobId,
  job: jobId === null || name === '' ? null : { id: jobId, name, type: 'large_array_sum' },
})

describe('gangs of threads', () => {
  it('gather the threads of each job, and the free ones last', () => {
    const gangs = gangsOf([
      thread(0, null),
      thread(1, 'a', 'Ledger'),
      thread(2, 'b', 'Payroll'),
      thread(3, 'a', 'Ledger'),
      thread(4, null),
    ])
    expect(gangs.map(({ jobId, name, threads }) => [jobId, name, threads])).toEqual([
      ['a', 'Ledger', [1, 3]],
      ['b', 'Payroll', [2]],
      [null, '', [0, 4]],
    ])
  })

  it('show a job of which nothing is known yet', () => {
    expect(gangsOf([thread(0, 'a')])).toEqual([{ jobId: 'a', name: '', type: '', threads: [0] }])
  })

  it('are none where there are no threads', () => {
    expect(gangsOf([])).toEqual([])
  })
})

describe('the hue of a job', () => {
  it('is its own, and the same each time', () => {
    expect(hueOf('a')).toBe(hueOf('a'))
    const hues = Array.from({ length: 50 }, (_, index) => hueOf(`0197f1c0-${index}`))
    expect(new Set(hues).size).toBeGreaterThan(20)
    expect(hues.every((hue) => hue >= 0 && hue < 360)).toBe(true)
  })
})
