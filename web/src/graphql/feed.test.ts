import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFakeConnection, type FakeConnection } from '../testing/connection.ts'
import { job } from '../testing/jobs.ts'
import { watchJobs } from './feed.ts'
import type { JobRowFragment } from './generated/graphql.ts'

describe('the feed of changed jobs', () => {
  let connection: FakeConnection
  let stop: () => void
  const onChanges = vi.fn<(jobs: JobRowFragment[]) => void>()
  const onMissed = vi.fn()
  const emit = (jobs: JobRowFragment[], incomplete = false): void =>
    connection.emit({ jobsUpdated: { jobs, incomplete } })

  beforeEach(() => {
    vi.useFakeTimers()
    onChanges.mockReset()
    onMissed.mockReset()
    connection = createFakeConnection()
    stop = watchJobs(connection, {}, onChanges, onMissed)
  })
  afterEach(() => {
    stop()
    vi.useRealTimers()
  })

  it('passes on what has changed, and asks for no more where that is all', () => {
    emit([job({ id: 'a' }), job({ id: 'b' })])
    expect(onChanges.mock.calls).toEqual([[[job({ id: 'a' }), job({ id: 'b' })]]])
    expect(onMissed).not.toHaveBeenCalled()
  })

  it('asks to read anew at once where more has changed than is told', () => {
    emit([], true)
    expect(onMissed).toHaveBeenCalledOnce()
    expect(onChanges).not.toHaveBeenCalled()
  })

  it('does so once in a while as long as that goes on, and once more after the last of it', () => {
    for (let message = 0; message < 50; message += 1) {
      emit([job({ id: String(message) })], true)
      vi.advanceTimersByTime(200)
    }
    expect(onChanges).toHaveBeenCalledTimes(50)
    expect(onMissed).toHaveBeenCalledTimes(6)
    emit([], true)
    vi.advanceTimersByTime(60_000)
    expect(onMissed).toHaveBeenCalledTimes(7)
  })

  it('is silent once it is stopped', () => {
    emit([], true)
    emit([], true)
    stop()
    vi.runAllTimers()
    expect(connection.listening()).toBe(0)
    expect(onMissed).toHaveBeenCalledOnce()
  })
})
