import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newJob } from '../../../test/new-jobs.ts'
import type { Job } from '../../core/job.ts'
import { createJobBuffer } from './job-buffer.ts'

const job = (patch: Partial<Job>): Job => newJob({ id: 'a', ...patch }).job

describe('the buffer of a subscriber', () => {
  it('keeps every change in order while there is room', () => {
    const buffer = createJobBuffer(10)
    const changes = ['QUEUED', 'RUNNING', 'SCHEDULED', 'QUEUED', 'RUNNING'] as const
    const jobs = changes.map((state) => job({ state }))
    for (const change of jobs) buffer.add(change)
    expect(jobs.map(() => buffer.take())).toEqual(jobs)
    expect(buffer.take()).toBeUndefined()
  })

  it('never grows past its limit, and always has the latest state of the job changed last', () => {
    const changes = fc.array(fc.record({ id: fc.integer({ min: 0, max: 12 }), take: fc.boolean() }))
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 8 }), (steps, limit) => {
        const buffer = createJobBuffer(limit)
        let last: Job | undefined
        for (const [index, { id, take }] of steps.entries()) {
          last = job({ id: String(id), priority: index })
          buffer.add(last)
          expect(buffer.size).toBeLessThanOrEqual(2 * limit)
          if (take) buffer.take()
        }
        const rest: Job[] = []
        for (let next = buffer.take(); next; next = buffer.take()) rest.push(next)
        const order = rest.map(({ priority }) => priority)
        expect(order).toEqual([...order].sort((a, b) => a - b))
        if (rest.length > 0) expect(rest.at(-1)).toEqual(last)
      }),
    )
  })

  it('keeps only the latest state of each job once a reader has fallen behind', () => {
    const buffer = createJobBuffer(2)
    const states = ['SCHEDULED', 'QUEUED', 'RUNNING', 'COMPLETED'] as const
    for (const state of states) for (const id of ['a', 'b']) buffer.add(job({ id, state }))
    expect([buffer.take(), buffer.take(), buffer.take()]).toMatchObject([
      { id: 'a', state: 'COMPLETED' },
      { id: 'b', state: 'COMPLETED' },
      undefined,
    ])
  })
})
