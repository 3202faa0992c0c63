import { describe, expect, it } from 'vitest'
import { plan, type PlanView } from './plan.ts'
import type { Reservation } from './reservation.ts'
import { planView as view, plannedWorker as worker, queuedJob } from './testing.ts'

const job = (id: string, gang = 1, rank = 0) => queuedJob({ id, gang, rank })
/** Run times by job id, as predictions. */
const lasting = (times: Record<string, number>) => (queued: { id: string }) =>
  times[queued.id] ?? null
const placed = (given: Partial<PlanView>) =>
  plan(view(given)).starts.map(({ id, workerName, reason }) => [id, workerName, reason])

describe('plan', () => {
  it('starts jobs in order, each on the worker left with the fewest free threads', () => {
    const workers = [worker('large', 8), worker('small', 4)]
    expect(placed({ queued: [job('a', 3), job('b', 4), job('c', 1)], workers })).toEqual([
      ['a', 'small', 'IN_ORDER'],
      ['b', 'large', 'IN_ORDER'],
      ['c', 'small', 'IN_ORDER'],
    ])
  })

  it('says at what width each job runs and why', () => {
    const queued = [
      queuedJob({ id: 'a', gang: 64 }),
      queuedJob({ id: 'b', gang: 1, threadDemand: 4 }),
      queuedJob({ id: 'c', gang: 2 }),
    ]
    expect(
      plan(view({ queued, workers: [worker('w', 8)] })).starts.map(({ width, widthReason }) => [
        width,
        widthReason,
      ]),
    ).toEqual([
      [1, 'NO_WORKER_LARGE_ENOUGH'],
      [1, 'TYPE_NOT_PARALLEL'],
      [2, 'AS_DEMANDED'],
    ])
  })

  it('passes over a job that only another node has a worker for', () => {
    const queued = [job('a', 16), job('b', 1)]
    const workers = [worker('w', 8)]
    expect(placed({ queued, workers, clusterMaxThreads: 16 })).toEqual([['b', 'w', 'IN_ORDER']])
  })

  it('keeps threads free for the head where nothing is known of run times', () => {
    const workers = [worker('w', 4, [1, null])]
    const result = plan(view({ queued: [job('a', 4), job('b'), job('c')], workers }))
    expect(result.starts).toEqual([])
    expect(result.reservation).toEqual({
      jobId: 'a',
      workerName: 'w',
      width: 4,
      since: 0,
      startAt: null,
      promisedAt: null,
    })
  })

  it('reserves where the least has to end, and lets others pass on the other worker', () => {
    const workers = [worker('busy', 8, [5, null]), worker('calm', 8, [2, null])]
    const queued = [job('head', 8), job('b', 3), job('c', 1)]
    expect(placed({ queued, workers })).toEqual([['b', 'busy', 'OTHER_WORKER']])
    expect(plan(view({ queued, workers })).reservation?.workerName).toBe('calm')
  })

  it('lends threads that the head leaves over', () => {
    const workers = [worker('w', 12, [8, null])]
    expect(
      placed({ queued: [job('head', 8), job('b', 3), job('c', 2), job('d', 1)], workers }),
    ).toEqual([
      ['b', 'w', 'SPARE_THREADS'],
      ['d', 'w', 'SPARE_THREADS'],
    ])
  })

  it('fills threads with jobs that end before the reservation starts', () => {
    const workers = [worker('w', 8, [4, 1000])]
    const queued = [job('head', 8), job('long', 1), job('unknown', 1), job('short', 2)]
    const given = { queued, workers, predict: lasting({ head: 1, long: 1001, short: 1000 }) }
    expect(placed(given)).toEqual([['short', 'w', 'ENDS_BEFORE_RESERVATION']])
    expect(plan(view(given)).reservation).toMatchObject({ startAt: 1000, promisedAt: 1000 })
  })

  it('moves the time with running jobs that outrun their predictions, but believes them only so long', () => {
    const previous: Reservation = {
      jobId: 'head',
      workerName: 'w',
      width: 8,
      since: 900,
      startAt: 1000,
      promisedAt: 1000,
    }
    const at = (now: number, b: number) =>
      plan(
        view({
          queued: [job('head', 8), job('b', 2)],
          workers: [worker('w', 8, [4, 5000])],
          previous,
          now,
          predict: lasting({ head: 1, b }),
        }),
      )
    expect(at(1100, 3900).starts).toHaveLength(1)
    expect(at(1100, 3901).starts).toHaveLength(0)
    expect(at(2000, 1).starts).toHaveLength(1)
    expect(at(2001, 1).starts).toHaveLength(0)
    expect(at(2001, 1).reservation).toEqual({ ...previous, startAt: 5000 })
  })

  it('lets the shortest of equal rank pass first', () => {
    const queued = [job('head', 8), job('a', 2), job('b', 2), job('c', 2), job('d', 2, 1)]
    const given = {
      queued,
      workers: [worker('w', 8, [2, 100], [2, 200])],
      predict: lasting({ head: 1, a: 90, b: 50, d: 10 }),
    }
    const ids = (more: Partial<PlanView>) =>
      plan(view({ ...given, ...more })).starts.map(({ id }) => id)
    expect(ids({})).toEqual(['b', 'a'])
    expect(ids({ rankStep: 2 })).toEqual(['d', 'b'])
  })

  it('starts whatever fits when told to promise nothing', () => {
    const given = {
      queued: [job('head', 8), job('a', 3), job('b', 3)],
      workers: [worker('w', 8, [4, 10])],
    }
    expect(plan(view({ ...given, reservations: false }))).toMatchObject({
      starts: [{ id: 'a' }],
      reservation: null,
    })
  })

  it('keeps its promise while no thread is free', () => {
    const given = { queued: [job('head', 8)], workers: [worker('w', 8, [4, 50], [4, 100])] }
    const first = plan(view({ ...given, now: 3 }))
    expect(first.reservation).toMatchObject({ since: 3, promisedAt: 100 })
    expect(plan(view({ ...given, now: 9, previous: first.reservation })).reservation).toEqual(
      first.reservation,
    )
  })

  it('tells of each job that waits what it waits for', () => {
    const queued = [job('far', 9), job('head', 8), job('wide', 7), job('late', 1)]
    const waits: [string, string][] = []
    plan(
      view({
        queued,
        workers: [worker('w', 8, [2, 10])],
        clusterMaxThreads: 9,
        predict: lasting({ head: 1, wide: 1, late: 20 }),
        onWait: ({ id }, reason) => waits.push([id, reason]),
      }),
    )
    expect(waits).toEqual([
      ['far', 'ANOTHER_NODE'],
      ['head', 'RESERVED'],
      ['wide', 'NOT_ENOUGH_FREE_THREADS'],
      ['late', 'WOULD_DELAY_HEAD'],
    ])
  })

  it('looks at a limited number of jobs, and only at the head when no other may start', () => {
    const looked = (given: Partial<PlanView>): number => {
      let count = 0
      const queued = (function* () {
        while (count < 100_000) yield job(`job-${(count += 1)}`, 8)
      })()
      plan(view({ queued, ...given }))
      return count
    }
    expect(looked({ workers: [worker('w', 8, [8, null])] })).toBe(1)
    expect(looked({ workers: [worker('w', 8, [1, null])] })).toBe(1)
    expect(looked({ workers: [worker('w', 8, [1, 5])], predict: () => 9, limit: 10 })).toBe(11)
  })
})
