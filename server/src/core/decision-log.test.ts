import { describe, expect, it } from 'vitest'
import { createDecisionLog } from './decision-log.ts'
import type { Reservation, Start } from './plan.ts'

const starts = (...ids: string[]): Start[] =>
  ids.map((id) => ({
    id,
    workerName: 'w',
    width: 1,
    widthReason: 'AS_DEMANDED',
    reason: 'IN_ORDER',
  }))
const promise = (
  jobId: string,
  workerName: string,
  startAt: number | null = null,
): Reservation => ({ jobId, workerName, width: 4, since: 0, startAt, promisedAt: startAt })

describe('decision log', () => {
  it('tells the latest decisions, newest first, of all jobs or of one', () => {
    const log = createDecisionLog()
    log.started(starts('a', 'b'), 1)
    log.reserved(promise('c', 'w', 50), 2)
    expect(log.latest()).toEqual([
      { at: 2, jobId: 'c', workerName: 'w', width: 4, kind: 'RESERVE', startAt: 50 },
      { at: 1, jobId: 'b', workerName: 'w', width: 1, kind: 'START', reason: 'IN_ORDER' },
      { at: 1, jobId: 'a', workerName: 'w', width: 1, kind: 'START', reason: 'IN_ORDER' },
    ])
    expect(log.latest({ jobId: 'a' })).toHaveLength(1)
    expect(log.latest({ limit: 2 }).map(({ jobId }) => jobId)).toEqual(['c', 'b'])
  })

  it('notes a promise once, and again when it moves to another worker or is made anew', () => {
    const log = createDecisionLog()
    for (const reservation of [
      promise('a', 'w1'),
      promise('a', 'w1'),
      promise('a', 'w2'),
      null,
      promise('a', 'w2'),
    ]) {
      log.reserved(reservation, 1)
    }
    expect(log.latest().map(({ workerName }) => workerName)).toEqual(['w2', 'w2', 'w1'])
  })

  it('forgets the oldest beyond its capacity, but counts them all', () => {
    const log = createDecisionLog(3)
    for (let i = 0; i < 8; i += 1) log.started(starts(`job-${i}`), i)
    expect(log.latest().map(({ jobId }) => jobId)).toEqual(['job-7', 'job-6', 'job-5'])
    expect(log.counts()).toMatchObject({ IN_ORDER: 8, RESERVED: 0 })
  })
})
