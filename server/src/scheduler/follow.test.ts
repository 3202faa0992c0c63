import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { QueuedJob } from '../core/job.ts'
import { plan } from '../core/plan.ts'
import { createQueue } from '../core/queue.ts'
import { compareRank } from '../core/rank.ts'
import { plannedWorker, planView, queuedJob } from '../core/testing.ts'
import { fillBatches } from './batches.ts'

/** Run times are in the jobs' names: 'short', or a number of ms. */
const predict = ({ type }: QueuedJob): number | null =>
  type === 'short' ? 10 : type === 'unknown' ? null : Number(type)
const job = (n: number, gang: number, fields: Partial<QueuedJob> = {}): QueuedJob =>
  queuedJob({ id: `j${String(n).padStart(3, '0')}`, type: 'short', gang, ...fields })

/** What one worker of so many free threads is given at once. */
function orders(queued: QueuedJob[], { threads = 4, nextLimit = Infinity } = {}) {
  const view = planView({ queued, workers: [plannedWorker('w', threads)], predict })
  return fillBatches({ ...view, predict, nextLimit, starts: plan(view).starts }).map(({ starts }) =>
    starts.map(({ id }) => id),
  )
}

describe('gangs that follow one on its threads', () => {
  it('are those that wait behind it, ahead of jobs of fewer threads', () => {
    const queued = [job(0, 4), job(1, 1), job(2, 4), job(3, 1), job(4, 4)]
    expect(orders(queued)).toEqual([['j000', 'j002', 'j004']])
  })

  it('are expected to take 50 ms at most, and keep their order', () => {
    const queued = [job(0, 4), job(1, 4, { type: '30' }), job(2, 4, { type: '30' }), job(3, 4)]
    expect(orders(queued)).toEqual([['j000', 'j001']])
    expect(orders(Array.from({ length: 20 }, (_, n) => job(n, 4)))[0]).toHaveLength(6)
  })

  it.each([
    ['of unknown run time', job(1, 4, { type: 'unknown' })],
    ['of another width', job(1, 3)],
    ['of lower priority', job(1, 4, { rank: 1 })],
    ['with a large payload', job(1, 4, { sizeClass: 16 })],
    ['that may run on fewer threads', job(1, 2, { threadDemand: 4, maxThreads: 4 })],
  ])('are none past one %s', (_, other) => {
    expect(orders([job(0, 4), other, job(2, 4, { rank: 1 })])).toEqual([['j000']])
    expect(orders([job(0, 4), other, job(2, 4)])).toEqual([['j000']])
  })

  it.each([
    ['takes long', job(0, 4, { type: '60' })],
    ['is of unknown run time', job(0, 4, { type: 'unknown' })],
  ])('are none where the first %s', (_, first) => {
    expect(orders([first, job(1, 4)])).toEqual([['j000']])
  })

  it('are none where as many threads are left beside it', () => {
    const halves = [job(0, 4), job(1, 4), job(2, 4), job(3, 4)]
    expect(orders(halves, { threads: 8 })).toEqual([['j000'], ['j001']])
    expect(orders([job(0, 5), job(1, 5)], { threads: 8 })).toEqual([['j000', 'j001']])
  })

  it('are none where the first has passed a better one', () => {
    const queued = [job(0, 4, { type: '100' }), job(1, 3), job(2, 3)]
    const busy = plannedWorker('w', 4, [1, 20])
    const view = planView({ queued, workers: [busy], predict })
    const { starts } = plan(view)
    expect(starts).toMatchObject([{ id: 'j001', reason: 'ENDS_BEFORE_RESERVATION' }])
    expect(fillBatches({ ...view, predict, nextLimit: 9, starts })[0]?.starts).toHaveLength(1)
  })

  it('are no more than may come next on a thread, and none where that is not told', () => {
    const queued = Array.from({ length: 9 }, (_, n) => job(n, 4))
    expect(orders(queued, { nextLimit: 1 })).toEqual([['j000', 'j001']])
    expect(orders(queued, { nextLimit: 0 })).toEqual([['j000']])
  })

  it('pass no job of fewer threads for longer than 50 ms in all, and no gang ever', () => {
    const anyJobs = fc.array(
      fc.record({ gang: fc.constantFrom(1, 1, 2, 4), ms: fc.integer({ min: 1, max: 70 }) }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(anyJobs, (drawn) => {
        const jobs = drawn.map(({ gang, ms }, n) => job(n, gang, { type: String(ms) }))
        const passedMs = new Map(jobs.map(({ id }) => [id, 0]))
        drain(jobs, (followers, waiting) => {
          for (const follower of followers) {
            for (const other of waiting) {
              if (compareRank(other, follower) > 0) continue
              expect(other.gang).toBe(1)
              passedMs.set(other.id, (passedMs.get(other.id) ?? 0) + (predict(follower) ?? 0))
            }
          }
        })
        for (const ms of passedMs.values()) expect(ms).toBeLessThanOrEqual(50)
      }),
    )
  })
})

/** Runs all of them on four threads, as long as predicted; tells who follows whenever something starts, and who waits then. */
function drain(
  jobs: QueuedJob[],
  onFollow: (followers: QueuedJob[], waiting: QueuedJob[]) => void,
): void {
  const queue = createQueue(jobs)
  const byId = new Map(jobs.map((each) => [each.id, each]))
  let running: { width: number; endAt: number }[] = []
  let previous = null
  for (let now = 0; queue.size > 0 || running.length > 0;) {
    const worker = plannedWorker(
      'w',
      4,
      ...running.map((r): [number, number] => [r.width, r.endAt]),
    )
    const view = planView({ queued: queue, workers: [worker], now, predict, previous })
    const { starts, reservation } = plan(view)
    previous = reservation
    const batches = fillBatches({ ...view, predict, nextLimit: Infinity, starts })
    const started = batches.map((batch) => batch.starts.flatMap(({ id }) => byId.get(id) ?? []))
    for (const { id } of started.flat()) queue.remove(id)
    for (const [at, { width }] of batches.entries()) {
      const own = started[at] ?? []
      if (width > 1) onFollow(own.slice(1), [...queue])
      const ms = own.reduce((sum, each) => sum + (predict(each) ?? 0), 0)
      running.push({ width, endAt: now + ms })
    }
    now = Math.min(...running.map(({ endAt }) => endAt))
    running = running.filter(({ endAt }) => endAt > now)
  }
}
