import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JobRowFragment } from '../graphql/generated/graphql.ts'
import { fakeClient } from '../testing/client.ts'
import { createFakeConnection } from '../testing/connection.ts'
import { job } from '../testing/jobs.ts'
import { createLiveJobs } from './live-jobs-store.ts'

describe('the active jobs', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('are read once more where some were missed while they were read, so that none stays that has ended', async () => {
    /** what the server has, read as the question comes and answered late */
    let stored: JobRowFragment[] = [job({ id: 'a', state: 'RUNNING' })]
    const connection = createFakeConnection(
      fakeClient(async () => {
        const nodes = stored
        await new Promise((resolve) => setTimeout(resolve, 500))
        const pageInfo = { endCursor: null, hasNextPage: false }
        return { data: { running: { nodes }, jobs: { nodes, pageInfo } } }
      }),
    )
    const store = createLiveJobs(connection, {}, ['QUEUED', 'RUNNING'])
    const stop = store.subscribe(() => undefined)
    await vi.advanceTimersByTimeAsync(100)
    stored = []
    connection.emit({ jobsUpdated: { jobs: [], incomplete: true } })
    await vi.advanceTimersByTimeAsync(500)
    expect([...store.snapshot().live.rows.keys()]).toEqual(['a'])
    await vi.advanceTimersByTimeAsync(500)
    expect([...store.snapshot().live.rows.keys()]).toEqual([])
    stop()
  })
})
