import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plan, type PlannedWorker } from './plan.ts'
import { createQueue } from './queue.ts'
import { planView as view, plannedWorker as worker, queuedJob } from './testing.ts'

const job = (id: string, gang = 1, rank = 0) => queuedJob({ id, gang, rank })
const anyWorkers = fc
  .array(
    fc.record({
      threads: fc.integer({ min: 1, max: 12 }),
      running: fc.array(
        fc.record({
          width: fc.integer({ min: 1, max: 8 }),
          end: fc.option(fc.integer({ min: 0, max: 20 })),
        }),
        { maxLength: 8 },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((workers) =>
    workers.map(({ threads, running }, i) => {
      let free = threads
      const fitting = running.filter(({ width }) => width <= free && ((free -= width), true))
      return worker(
        `w${i}`,
        threads,
        ...fitting.map(({ width, end }): [number, number | null] => [width, end]),
      )
    }),
  )
const anyQueue = fc
  .array(
    fc.record({
      gang: fc.integer({ min: 1, max: 14 }),
      rank: fc.integer({ min: 0, max: 3 }),
      expectedMs: fc.option(fc.integer({ min: 0, max: 20 })),
    }),
    { maxLength: 30 },
  )
  .map((jobs) => ({
    queued: createQueue(
      jobs.map(({ gang, rank }, i) => job(String(i).padStart(3, '0'), gang, rank)),
    ),
    predict: (queued: { id: string }) => jobs[Number(queued.id)]?.expectedMs ?? null,
  }))

describe('every plan', () => {
  it('keeps within the threads of each worker, gives each job its whole gang on one worker, and starts none twice', () => {
    fc.assert(
      fc.property(anyWorkers, anyQueue, (workers, { queued, predict }) => {
        const given = view({ queued, workers, predict })
        const { starts, reservation } = plan(given)
        expect(new Set(starts.map(({ id }) => id)).size).toBe(starts.length)
        for (const { id, width } of starts) {
          const gang = queued.get(id)?.gang ?? NaN
          expect(width).toBe(gang > given.clusterMaxThreads ? 1 : gang)
        }
        for (const { name, threads, running } of workers) {
          const own = starts.filter(({ workerName }) => workerName === name)
          const used = [...running, ...own].reduce((sum, { width }) => sum + width, 0)
          expect(used).toBeLessThanOrEqual(threads)
        }
        expect(starts.some(({ id }) => id === reservation?.jobId)).toBe(false)
        expect(plan(given)).toEqual({ starts, reservation })
      }),
    )
  })

  it('leaves no job waiting for nothing: in order up to the head, which fits nowhere', () => {
    fc.assert(
      fc.property(anyWorkers, anyQueue, (workers, { queued, predict }) => {
        const given = view({ queued, workers, predict })
        const { starts, reservation } = plan(given)
        const inOrder = starts.filter(({ reason }) => reason === 'IN_ORDER').map(({ id }) => id)
        const ids = [...queued].map(({ id }) => id)
        expect(ids.slice(0, inOrder.length)).toEqual(inOrder)
        if (starts.length === ids.length) return
        const freeOf = (
          { name, threads, running }: PlannedWorker,
          of: { workerName: string; width: number }[],
        ) =>
          threads -
          running.reduce((sum, { width }) => sum + width, 0) -
          of
            .filter(({ workerName }) => workerName === name)
            .reduce((sum, { width }) => sum + width, 0)
        const first = starts.filter(({ reason }) => reason === 'IN_ORDER')
        const left = workers.map((each) => freeOf(each, first))
        if (reservation) {
          expect(reservation.jobId).toBe(ids[inOrder.length])
          expect(Math.max(...left)).toBeLessThan(reservation.width)
        } else {
          expect(Math.max(...left)).toBe(0)
        }
      }),
    )
  })

  it('leaves nothing for a second plan to start', () => {
    fc.assert(
      fc.property(anyWorkers, anyQueue, (workers, { queued, predict }) => {
        const first = plan(view({ queued, workers, predict }))
        for (const { id, workerName, width } of first.starts) {
          queued.remove(id)
          const expectedEndAt = predict({ id })
          workers
            .find(({ name }) => name === workerName)
            ?.running.push({ jobId: id, type: 'any', width, rank: 0, startedAt: 0, expectedEndAt })
        }
        const second = plan(view({ queued, workers, predict, previous: first.reservation }))
        expect(second).toEqual({ starts: [], reservation: first.reservation })
      }),
    )
  })

  it('never delays the head by what it starts after it, whatever ends when, where nothing is predicted', () => {
    const ends = fc.infiniteStream(fc.integer({ min: 1, max: 50 }))
    fc.assert(
      fc.property(anyWorkers, anyQueue, ends, (workers, { queued }, realEnds) => {
        const blind = workers.map((each) => ({
          ...each,
          running: each.running.map((entry) => ({ ...entry, expectedEndAt: null })),
        }))
        const { starts, reservation } = plan(view({ queued, workers: blind }))
        if (!reservation) return
        const reserved = blind.find(({ name }) => name === reservation.workerName)
        const end = () => realEnds.next().value as number
        const before = starts.filter(({ reason }) => reason === 'IN_ORDER')
        const after = starts.filter(({ reason }) => reason !== 'IN_ORDER')
        const on = (list: typeof starts) =>
          list.filter(({ workerName }) => workerName === reserved?.name)
        const held = [...(reserved?.running ?? []), ...on(before)].map(({ width }) => ({
          width,
          endAt: end(),
        }))
        const lent = on(after).map(({ width }) => ({ width, endAt: end() }))
        const firstFit = (jobs: typeof held) =>
          [0, ...jobs.map(({ endAt }) => endAt)]
            .sort((a, b) => a - b)
            .find((time) => {
              const used = jobs
                .filter(({ endAt }) => endAt > time)
                .reduce((sum, { width }) => sum + width, 0)
              return (reserved?.threads ?? 0) - used >= reservation.width
            })
        expect(firstFit([...held, ...lent])).toBe(firstFit(held))
      }),
    )
  })

  it('has the head start by its reservation where predictions are right', () => {
    fc.assert(
      fc.property(anyWorkers, anyQueue, (workers, { queued, predict }) => {
        const { starts, reservation } = plan(view({ queued, workers, predict }))
        const { startAt, workerName, width } = reservation ?? { startAt: null }
        if (startAt === null) return
        const reserved = workers.find(({ name }) => name === workerName)
        const own = starts.filter((start) => start.workerName === workerName)
        const ends = [
          ...(reserved?.running ?? []).map((entry) => ({
            width: entry.width,
            endAt: entry.expectedEndAt,
          })),
          ...own.map((start) => ({ width: start.width, endAt: predict(start) })),
        ]
        const used = ends
          .filter(({ endAt }) => endAt === null || endAt > startAt)
          .reduce((sum, entry) => sum + entry.width, 0)
        expect((reserved?.threads ?? 0) - used).toBeGreaterThanOrEqual(width ?? NaN)
      }),
    )
  })
})
