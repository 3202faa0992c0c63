import { describe, expect, it } from 'vitest'
import { createTestScheduler } from './test-scheduler.ts'

const oneWorker = (threads: number) => ({ workers: [{ name: 'w', threads }] })

describe('the scheduler for tests', () => {
  it('runs jobs on its own clock', () => {
    const scheduler = createTestScheduler({ ...oneWorker(1), now: 1000 })
    const first = scheduler.submit({ type: 'a', runMs: 50 })
    const second = scheduler.submit({ type: 'a', runMs: 50 })
    expect(scheduler.job(first)).toMatchObject({ state: 'RUNNING', startedAt: 1000, width: 1 })
    expect(scheduler.job(second).state).toBe('QUEUED')
    scheduler.advance(60)
    expect(scheduler.now()).toBe(1060)
    expect(scheduler.job(first)).toMatchObject({ state: 'COMPLETED', finishedAt: 1050 })
    expect(scheduler.job(second)).toMatchObject({ state: 'RUNNING', startedAt: 1050 })
    scheduler.drain()
    expect(scheduler.jobs().map(({ state }) => state)).toEqual(['COMPLETED', 'COMPLETED'])
    expect(scheduler.now()).toBe(1100)
  })

  it('goes by priority, and by waiting where that counts', () => {
    const order = (agingMs: number | null) => {
      const scheduler = createTestScheduler({ ...oneWorker(1), agingMs })
      scheduler.submit({ type: 'first', runMs: 100 })
      scheduler.submit({ type: 'old', runMs: 1, priority: 0 })
      scheduler.advance(90)
      scheduler.submit({ type: 'urgent', runMs: 1, priority: 1 })
      scheduler.drain()
      return scheduler
        .jobs()
        .toSorted((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0))
        .map(({ type }) => type)
    }
    expect(order(null)).toEqual(['first', 'urgent', 'old'])
    expect(order(50)).toEqual(['first', 'old', 'urgent'])
  })

  it('keeps the promise to a wide job, says so, and backfills around it', () => {
    const scheduler = createTestScheduler(oneWorker(2))
    scheduler.submit({ type: 'small', runMs: 100, expectedMs: 100 })
    const wide = scheduler.submit({ type: 'wide', threadDemand: 2, runMs: 10 })
    const long = scheduler.submit({ type: 'long', runMs: 500, expectedMs: 500 })
    const short = scheduler.submit({ type: 'short', runMs: 20, expectedMs: 20 })
    expect(scheduler.reservation()).toMatchObject({ jobId: wide, startAt: 100 })
    expect(scheduler.job(short).state).toBe('RUNNING')
    expect(scheduler.explain(long)?.reason).toBe('BEHIND_OTHERS')
    expect(scheduler.explain(short)).toBeNull()
    scheduler.drain()
    expect(scheduler.job(wide).startedAt).toBe(100)
    expect(scheduler.job(long).startedAt).toBe(110)
    expect(scheduler.decisions().find(({ jobId }) => jobId === short)).toMatchObject({
      kind: 'START',
      reason: 'ENDS_BEFORE_RESERVATION',
    })
  })

  it('ends jobs that fail, run out of time or are cancelled', () => {
    const scheduler = createTestScheduler(oneWorker(1))
    const failing = scheduler.submit({ type: 'a', runMs: 10, fails: true })
    const slow = scheduler.submit({ type: 'a', runMs: 100, timeoutMs: 30 })
    const unwanted = scheduler.submit({ type: 'a', runMs: 10 })
    scheduler.cancel(unwanted)
    scheduler.drain()
    expect(scheduler.job(failing)).toMatchObject({ state: 'FAILED', finishedAt: 10 })
    expect(scheduler.job(slow)).toMatchObject({ state: 'FAILED', finishedAt: 40 })
    expect(scheduler.job(unwanted)).toMatchObject({ state: 'CANCELLED', startedAt: null })
    expect(() => scheduler.job('none')).toThrow('no job has the id none')
  })
})
