import { describe, expect, it } from 'vitest'
import { startText } from './why-it-waits.tsx'

const now = Date.parse('2030-01-31T09:00:00Z')
const after = (ms: number): string => new Date(now + ms).toISOString()

describe('startText', () => {
  it('says when a job is expected to start, and how sure that is', () => {
    expect(startText({ p50: after(3100), p90: after(20_000) }, now)).toBe(
      'Expected to start in 3.1 s, and within 20 s nine times in ten',
    )
    expect(startText({ p50: after(10), p90: after(5000) }, now)).toBe(
      'Expected to start within a second, and within 5.0 s nine times in ten',
    )
    expect(startText({ p50: after(-5), p90: after(-1) }, now)).toBe(
      'Expected to start within a second',
    )
  })

  it('guesses nothing', () => {
    expect(startText(null, now)).toBe('Too little is known to say when it will start')
  })
})
