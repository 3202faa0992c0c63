import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isFinal, jobStates, type JobState } from './job.ts'
import type { Outcome } from './outcome.ts'
import { runningJob } from './testing.ts'
import {
  canMove,
  endedJob,
  lostWithNode,
  settle,
  transitions,
  type Completion,
} from './transition.ts'

const error = { name: 'Error', message: 'no' }
const ended = { now: 5000, startedAt: 2000, finishedAt: 4000, jitter: 0 }
const failures: Outcome[] = [
  { kind: 'failed', error },
  { kind: 'timedOut', error },
  { kind: 'lost', error },
]
const outcomes: Outcome[] = [
  { kind: 'completed', result: '1' },
  ...failures,
  { kind: 'cancelled' },
  { kind: 'interrupted' },
]
const anyJob = fc
  .record({
    attempt: fc.integer({ min: 1, max: 4 }),
    maxAttempts: fc.integer({ min: 1, max: 4 }),
    cancelRequested: fc.boolean(),
  })
  .map(runningJob)

describe('transitions', () => {
  it('are these and no others', () => {
    const drawn: [JobState | 'NEW', JobState][] = [
      ['NEW', 'SCHEDULED'],
      ['NEW', 'QUEUED'],
      ['SCHEDULED', 'QUEUED'],
      ['SCHEDULED', 'CANCELLED'],
      ['QUEUED', 'RUNNING'],
      ['QUEUED', 'CANCELLED'],
      ['RUNNING', 'COMPLETED'],
      ['RUNNING', 'FAILED'],
      ['RUNNING', 'CANCELLED'],
      ['RUNNING', 'SCHEDULED'],
      ['RUNNING', 'QUEUED'],
      ['COMPLETED', 'QUEUED'],
      ['FAILED', 'QUEUED'],
      ['CANCELLED', 'QUEUED'],
    ]
    for (const from of ['NEW', ...jobStates] as const) {
      for (const to of jobStates) {
        expect(canMove(from, to), `${from} to ${to}`).toBe(
          drawn.some(([a, b]) => a === from && b === to),
        )
      }
    }
  })

  it('reach an end from every state', () => {
    const endsFrom = (state: JobState | 'NEW', seen: string[]): boolean =>
      transitions[state].some(
        (next) => isFinal(next) || (!seen.includes(next) && endsFrom(next, [...seen, next])),
      )
    for (const state of ['NEW', ...jobStates] as const) expect(endsFrom(state, [state])).toBe(true)
  })
})

describe('settle', () => {
  it('keeps the result of a job that completed, also when somebody asked to cancel it meanwhile', () => {
    const outcome: Outcome = { kind: 'completed', result: '{"a":1}' }
    for (const cancelRequested of [false, true]) {
      const settlement = settle(runningJob({ cancelRequested }), outcome, ended)
      expect(settlement).toMatchObject({ to: 'COMPLETED', result: '{"a":1}' })
      expect(endedJob(settlement as Completion)).toMatchObject({
        state: 'COMPLETED',
        cancelRequested: false,
        attempts: [{ number: 1, nodeId: 'node', workerName: 'worker-1', error: null }],
      })
    }
  })

  it.each(failures)('tries again after a back-off while attempts are left: $kind', (outcome) => {
    const job = runningJob({ attempt: 2, maxAttempts: 3, backoff: { baseMs: 100, maxMs: 1000 } })
    expect(settle(job, outcome, ended)).toEqual({
      job,
      id: 'job',
      attempt: 2,
      startedAt: 2000,
      finishedAt: 4000,
      attempts: [
        {
          number: 2,
          nodeId: 'node',
          workerName: 'worker-1',
          startedAt: 2000,
          finishedAt: 4000,
          error,
        },
      ],
      to: 'SCHEDULED',
      runAt: 5200,
    })
  })

  it.each(failures)('fails for good when attempts are spent: $kind', (outcome) => {
    const job = runningJob({ attempt: 3, maxAttempts: 3 })
    expect(settle(job, outcome, ended)).toMatchObject({ to: 'FAILED', error })
  })

  it('does not retry a failing job that somebody wants cancelled', () => {
    const job = runningJob({ maxAttempts: 3, cancelRequested: true })
    for (const outcome of failures) expect(settle(job, outcome, ended).to).toBe('CANCELLED')
  })

  it('gives an interrupted job back with no attempt counted', () => {
    const place = { nodeId: 'node', workerName: 'worker-1' }
    const before = [{ number: 1, ...place, startedAt: 100, finishedAt: 200, error }]
    const job = runningJob({ attempt: 2, maxAttempts: 2, attempts: before })
    expect(settle(job, { kind: 'interrupted' }, ended)).toMatchObject({
      to: 'QUEUED',
      attempt: 2,
      attemptsMade: 1,
      attempts: before,
    })
  })

  it('ends an interrupted job that somebody wants cancelled', () => {
    const job = runningJob({ cancelRequested: true })
    expect(settle(job, { kind: 'interrupted' }, ended).to).toBe('CANCELLED')
  })

  it('makes only allowed moves, and never lets a job run more often than allowed', () => {
    fc.assert(
      fc.property(anyJob, fc.constantFrom(...outcomes), (job, outcome) => {
        const settlement = settle(job, outcome, ended)
        expect(canMove('RUNNING', settlement.to)).toBe(true)
        if (settlement.to === 'SCHEDULED') expect(job.attempt).toBeLessThan(job.maxAttempts)
        if (settlement.to === 'QUEUED') expect(settlement.attemptsMade).toBe(job.attempt - 1)
        if (job.cancelRequested) expect(['COMPLETED', 'CANCELLED']).toContain(settlement.to)
      }),
    )
  })
})

describe('a job whose node died', () => {
  it('runs again with the attempt counted, until attempts are spent', () => {
    fc.assert(
      fc.property(anyJob, (job) => {
        const settlement = lostWithNode(job, { now: 9000, error })
        const spent = job.attempt >= job.maxAttempts
        expect(settlement.to).toBe(job.cancelRequested ? 'CANCELLED' : spent ? 'FAILED' : 'QUEUED')
        expect(settlement.attempts).toEqual([
          expect.objectContaining({
            number: job.attempt,
            startedAt: 2000,
            finishedAt: 9000,
            error,
          }),
        ])
        if (settlement.to === 'QUEUED') expect(settlement.attemptsMade).toBe(job.attempt)
      }),
    )
  })
})
