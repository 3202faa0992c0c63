import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasLapsed, isSilent, leaseState, leaseTiming, mayRescue } from './lease.ts'

describe('lease', () => {
  it('is held, is due for renewal, and ends some time before others may rescue', () => {
    const timing = leaseTiming()
    expect([0, 1999, 2000, 6999, 7000, 20_000].map((age) => leaseState(timing, age))).toEqual([
      'held',
      'held',
      'renew',
      'renew',
      'stopWork',
      'stopWork',
    ])
    expect(leaseState(timing, Infinity)).toBe('stopWork')
  })

  it('survives two heartbeats in a row that went unanswered', () => {
    const { heartbeatMs, stopAfterMs } = leaseTiming()
    expect(3 * heartbeatMs).toBeLessThan(stopAfterMs)
  })

  it('has a cut-off node stopped before anybody rescues, whatever the delays and honest clocks', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 500, max: 60_000 }), part, part, part, (leaseMs, ...parts) => {
        const timing = leaseTiming(leaseMs)
        const [travel, slow, fast] = parts
        // The node's clock runs slow, the database's fast, by half of the allowed drift each.
        const drift = timing.driftMs / timing.leaseMs / 2
        const sentAt = 0
        const writtenAt = travel * 1000
        const stoppedAt = sentAt + (timing.stopAfterMs + timing.stopWithinMs) / (1 - drift * slow)
        const ageAt = (now: number) => (now - writtenAt) * (1 + drift * fast)
        expect(hasLapsed(timing, ageAt(stoppedAt))).toBe(false)
      }),
    )
  })

  it('finds a dead node and has its jobs run again within 15 seconds', () => {
    const { leaseMs, rescueMs } = leaseTiming()
    expect(leaseMs + rescueMs).toBeLessThanOrEqual(14_000)
  })

  it('lets only those rescue who have been in touch for a whole lease', () => {
    const timing = leaseTiming(1000)
    expect(mayRescue(timing, 999)).toBe(false)
    expect(mayRescue(timing, 1000)).toBe(true)
    expect(mayRescue(timing, -Infinity)).toBe(false)
  })
})

describe('a silent node', () => {
  it('is noticed well before its lease is over, and never for one late heartbeat', () => {
    const timing = leaseTiming()
    expect(isSilent(timing, 2 * timing.heartbeatMs)).toBe(false)
    // Between two looks there is time to see it, whenever it fell silent.
    expect(isSilent(timing, timing.leaseMs - timing.rescueMs)).toBe(true)
  })
})
