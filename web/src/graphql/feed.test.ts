import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFakeConnection, type FakeConnection } from '../testing/connection.ts'
import { job, jobs } from '../testing/jobs.ts'
import { watchJobs } from './feed.ts'
import type { JobRowFragment } from './generated/graphql.ts'

describe('the feed of changed jobs', () => {
  let connection: FakeConnection
  let stop: () => void
  const onBatch = vi.fn<(batch: JobRowFragment[]) => void>()
  const onMissed = vi.fn()
  const change = (jobUpdated: JobRowFragment): void => connection.emit({ jobUpdated })

  beforeEach(() => {
    vi.useFakeTimers()
    onBatch.mockReset()
    onMissed.mockReset()
    connection = createFakeConnection()
    stop = watchJobs(connection, {}, onBatch, onMissed)
  })
  afterEach(() => {
    stop()
    vi.useRealTimers()
  })

  it('gives many changes at once, the latest of each job', () => {
    change(job({ id: 'a' }))
    change(job({ id: 'b' }))
    change(job({ id: 'a', state: 'RUNNING' }))
    expect(onBatch).not.toHaveBeenCalled()
    vi.runAllTimers()
    expect(onBatch).toHaveBeenCalledOnce()
    expect(onBatch.mock.calls[0]?.[0].map(({ id, state }) => [id, state])).toEqual([
      ['a', 'RUNNING'],
      ['b', 'QUEUED'],
    ])
    change(job({ id: 'c' }))
    vi.runAllTimers()
    expect(onBatch.mock.calls[1]?.[0].map(({ id }) => id)).toEqual(['c'])
  })

  it('asks to read anew after the connection was lost', () => {
    connection.blink()
    expect(onMissed).toHaveBeenCalledOnce()
  })

  it('asks to read anew where more jobs change than can be kept', () => {
    for (const one of jobs(20_001)) change(one)
    vi.runAllTimers()
    expect(onMissed).toHaveBeenCalledOnce()
    expect(onBatch).not.toHaveBeenCalled()
    change(job())
    vi.runAllTimers()
    expect(onBatch).toHaveBeenCalledOnce()
  })

  it('is silent once it is stopped', () => {
    change(job())
    stop()
    vi.runAllTimers()
    connection.blink()
    expect(connection.listening()).toBe(0)
    expect(onBatch).not.toHaveBeenCalled()
    expect(onMissed).not.toHaveBeenCalled()
  })
})
