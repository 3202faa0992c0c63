import { describe, expect, it } from 'vitest'
import type { Job } from '../core/job.ts'
import { createRunning } from './running.ts'
import { createStopJobs } from './stop-jobs.ts'

/** A node that runs jobs a and b, and what it says to its worker and of jobs that it does not run. */
function setUp() {
  const running = createRunning()
  const jobs = ['a', 'b'].map((id) => ({ id, cancelRequested: false }) as Job)
  const place = {
    workerName: 'worker-1',
    width: 1,
    first: jobs[0]!,
    beganAt: 0,
    endsAt: 10,
    followMs: 0,
  }
  running.add(running.reserve(place), { leaseId: 'lease', shortClaim: null, jobs })
  const told: string[] = []
  const wanted: string[] = []
  const stopJobs = createStopJobs({
    running,
    workers: () => new Map([['worker-1', { cancel: (ids) => void told.push(...ids) }]]),
    stopWhenStarted: (ids) => void wanted.push(...ids),
  })
  return { running, told, wanted, stopJobs }
}

describe('jobs that are to stop', () => {
  it('are told so where they run; the others come back, for they may be started this moment', () => {
    const { running, told, wanted, stopJobs } = setUp()
    expect(stopJobs(['x', 'b', 'y'], 'cancel')).toEqual(['x', 'y'])
    expect(told).toEqual(['b'])
    expect(wanted).toEqual(['x', 'y'])
    expect(running.get('b')).toMatchObject({ stopReason: 'cancel', job: { cancelRequested: true } })
    expect(running.get('a')).toMatchObject({ stopReason: null, job: { cancelRequested: false } })
  })

  it('stop for the first reason there was; without a wish to cancel nothing is to be stopped later', () => {
    const { running, told, wanted, stopJobs } = setUp()
    stopJobs(['a'], 'lease')
    stopJobs(['a'], 'cancel')
    expect(running.get('a')).toMatchObject({ stopReason: 'lease' })
    expect(told).toEqual(['a', 'a'])
    expect(stopJobs(['gone'], 'lease')).toEqual(['gone'])
    expect(wanted).toEqual([])
  })
})
