import { expect, it } from 'vitest'
import { createEstimator } from '../core/estimate.ts'
import { withPredictions } from '../core/predicted-view.ts'
import { runningJob } from '../core/testing.ts'
import { viewWorkers } from './node-view.ts'
import { createRunning } from './running.ts'

it('expects threads of gangs that follow each other to be free when all of them are over', () => {
  const running = createRunning()
  const first = runningJob({ expectedMs: 10 })
  running.reserve({
    ...{ workerName: 'worker-1', width: 2, first },
    ...{ beganAt: 1000, endsAt: Infinity, followMs: 30 },
  })
  const endsAt = (now: number): number | null | undefined => {
    const workers = viewWorkers([{ name: 'worker-1', threads: 2 }], running)
    const view = { queued: [], workers, clusterMaxThreads: 2, now }
    return withPredictions(view, createEstimator()).workers[0]?.running[0]?.expectedEndAt
  }
  expect(endsAt(1000)).toBe(1040)
  // That the first has outrun its own time says nothing.
  expect(endsAt(1025)).toBe(1040)
  expect(endsAt(1050)).toBeGreaterThan(1050)
})
