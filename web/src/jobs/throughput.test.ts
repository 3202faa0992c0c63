import { describe, expect, it } from 'vitest'
import { perMinute } from './throughput.tsx'

const NOW = Date.parse('2026-03-01T12:30:40.000Z')
const point = (at: string, completed: number, failed = 0) => ({ at, completed, failed })

describe('jobs per minute', () => {
  it('has sixty minutes, the present one last', () => {
    const bars = perMinute([point('2026-03-01T12:30:00.000Z', 3, 1)], NOW)
    expect(bars).toHaveLength(60)
    expect(bars.at(-1)).toEqual({ completed: 3, failed: 1 })
    expect(bars.slice(0, -1).every(({ completed, failed }) => completed + failed === 0)).toBe(true)
  })

  it('adds up the job types of a minute', () => {
    const at = '2026-03-01T12:29:00.000Z'
    expect(perMinute([point(at, 3, 1), point(at, 4, 2)], NOW).at(-2)).toEqual({
      completed: 7,
      failed: 3,
    })
  })

  it('shows the minute 59 minutes ago and nothing older, and nothing that is yet to come', () => {
    const bars = perMinute(
      [
        point('2026-03-01T11:31:00.000Z', 1),
        point('2026-03-01T11:30:00.000Z', 10),
        point('2026-03-01T12:31:00.000Z', 100),
      ],
      NOW,
    )
    expect(bars[0]).toEqual({ completed: 1, failed: 0 })
    expect(bars.reduce((sum, { completed }) => sum + completed, 0)).toBe(1)
  })
})
