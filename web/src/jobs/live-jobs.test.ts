import { describe, expect, it } from 'vitest'
import type { JobState } from '../graphql/generated/graphql.ts'
import { job, jobs } from '../testing/jobs.ts'
import {
  fromPage,
  inOrder,
  noJobs,
  withChanges,
  withOlder,
  withoutEnded,
  type LiveJobs,
} from './live-jobs.ts'

const NOW = 1_000_000
const all: JobState[] = ['SCHEDULED', 'QUEUED', 'RUNNING']
const ids = (live: LiveJobs): string[] => [...live.rows.keys()]
const read = (...rows: ReturnType<typeof job>[]): LiveJobs =>
  fromPage({ jobs: rows, endCursor: null })
const changed = (live: LiveJobs, ...changes: ReturnType<typeof job>[]): LiveJobs =>
  withChanges(live, changes, all, NOW)

describe('the table of active jobs', () => {
  it('takes up new jobs and changes those that it has', () => {
    const queued = changed(noJobs, job({ id: 'a' }), job({ id: 'b' }))
    const running = changed(queued, job({ id: 'a', state: 'RUNNING', progress: 0.5 }))
    expect(ids(running)).toEqual(['a', 'b'])
    expect(running.rows.get('a')).toMatchObject({ state: 'RUNNING', progress: 0.5 })
    expect(queued.rows.get('a')).toMatchObject({ state: 'QUEUED' })
  })

  it('keeps an ended job for a moment, then lets it go', () => {
    const ended = changed(read(job({ id: 'a' })), job({ id: 'a', state: 'COMPLETED' }))
    expect(ended.rows.get('a')).toMatchObject({ state: 'COMPLETED' })
    const leavesAt = ended.leaving.get('a') ?? 0
    expect(leavesAt).toBeGreaterThan(NOW)
    expect(withoutEnded(ended, leavesAt - 1)).toBe(ended)
    expect(ids(withoutEnded(ended, leavesAt))).toEqual([])
  })

  it('keeps a job that is retried while it was about to leave', () => {
    const ended = changed(read(job({ id: 'a' })), job({ id: 'a', state: 'FAILED' }))
    const again = changed(ended, job({ id: 'a', state: 'QUEUED' }))
    expect(ids(withoutEnded(again, Infinity))).toEqual(['a'])
  })

  it.each(['COMPLETED', 'FAILED', 'CANCELLED'] as const)(
    'takes no notice of a job that it does not have and that is %s',
    (state) => expect(ids(changed(noJobs, job({ state })))).toEqual([]),
  )

  it('drops a job that moves to a state that is not shown', () => {
    const queuedOnly: JobState[] = ['QUEUED']
    const live = withChanges(noJobs, [job({ id: 'a' })], queuedOnly, NOW)
    const running = withChanges(live, [job({ id: 'a', state: 'RUNNING' })], queuedOnly, NOW)
    expect(ids(running)).toEqual([])
  })

  it('stops growing at a size that a page can bear, and says that there is more', () => {
    const full = changed(noJobs, ...jobs(20_000))
    expect(full.rows.size).toBeLessThan(20_000)
    expect(full.overflown).toBe(true)
    const [known = ''] = ids(full)
    expect(changed(full, job({ id: known, state: 'RUNNING' })).rows.get(known)).toMatchObject({
      state: 'RUNNING',
    })
  })

  it('adds older jobs without undoing what has changed since', () => {
    const live = changed(read(job({ id: 'a' })), job({ id: 'a', state: 'RUNNING' }))
    const older = withOlder(live, { jobs: [job({ id: 'a' }), job({ id: 'b' })], endCursor: 'c' })
    expect(older.rows.get('a')).toMatchObject({ state: 'RUNNING' })
    expect(older.rows.has('b')).toBe(true)
    expect(older.endCursor).toBe('c')
  })

  it('lists jobs on threads first as they started, then waiting ones, last submitted first', () => {
    const live = read(
      job({ id: '1' }),
      job({ id: '2', state: 'RUNNING', startedAt: '2026-03-01T12:00:02.000Z' }),
      job({ id: '3', state: 'SCHEDULED' }),
      job({ id: '4', state: 'RUNNING', startedAt: '2026-03-01T12:00:01.000Z' }),
      job({ id: '5' }),
    )
    expect(inOrder(live).map(({ id }) => id)).toEqual(['4', '2', '5', '3', '1'])
  })
})
