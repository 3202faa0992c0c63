import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { predictedOpening, unpredictedOpening, type Occupied } from './reservation.ts'

const held = (width: number, endAt = Infinity): Occupied => ({ width, endAt })

/** Jobs that fit on `threads`, and a width that does not fit beside them. */
const blocked = fc
  .tuple(
    fc.integer({ min: 1, max: 16 }),
    fc.array(
      fc.record({ width: fc.integer({ min: 1, max: 16 }), endAt: fc.integer({ min: 0, max: 9 }) }),
      {
        maxLength: 8,
      },
    ),
    fc.integer({ min: 1, max: 16 }),
  )
  .map(([threads, jobs, width]) => {
    const occupied: Occupied[] = []
    let used = 0
    for (const job of jobs) {
      if (used + job.width > threads) continue
      used += job.width
      occupied.push(job)
    }
    return { threads, occupied, used, width: Math.min(width, threads) }
  })
  .filter(({ threads, used, width }) => threads - used < width)

function* subsets(jobs: readonly Occupied[]): Generator<number> {
  for (let mask = 0; mask < 2 ** jobs.length; mask += 1) {
    yield jobs.reduce((sum, { width }, i) => sum + ((mask >> i) & 1) * width, 0)
  }
}

describe('an opening with no predictions', () => {
  it('lends what no set of running jobs could leave to others', () => {
    const opening = (width: number, ...occupied: Occupied[]) =>
      unpredictedOpening(width, { threads: 12, occupied })
    // All eight must end before the head can start, and then four threads are over.
    expect(opening(8, held(8))).toEqual({ startAt: Infinity, mustEnd: 8, spare: 4 })
    // Any four of the eight may be the ones to stay.
    expect(opening(8, ...Array.from({ length: 8 }, () => held(1)))).toMatchObject({
      mustEnd: 4,
      spare: 0,
    })
    expect(opening(8, held(3), held(5))).toMatchObject({ mustEnd: 5, spare: 1 })
  })

  it('lends as much as is safe, by trying every set of jobs that may stay', () => {
    fc.assert(
      fc.property(blocked, ({ threads, occupied, used, width }) => {
        const { spare, mustEnd } = unpredictedOpening(width, { threads, occupied })
        const fitting = [...subsets(occupied)].filter((stay) => stay + width <= threads)
        expect(mustEnd).toBe(used - Math.max(...fitting))
        // A lend is safe if every set that the head fits beside still leaves room with the lend there.
        const safe = (lend: number) => fitting.every((stay) => stay + width + lend <= threads)
        expect(safe(spare)).toBe(true)
        expect(safe(spare + 1)).toBe(false)
      }),
    )
  })
})

describe('an opening with predictions', () => {
  it('comes when enough threads are free, and counts what is over then', () => {
    const occupied = [held(4, 300), held(4, 100), held(2, 200)]
    expect(predictedOpening(8, { threads: 12, occupied })).toMatchObject({ startAt: 200, spare: 0 })
    expect(predictedOpening(6, { threads: 12, occupied })).toMatchObject({ startAt: 100, spare: 0 })
    expect(predictedOpening(7, { threads: 12, occupied })).toMatchObject({ startAt: 200, spare: 1 })
  })

  it('is not known while a job that must end has no prediction', () => {
    const occupied = [held(4, 100), held(8)]
    expect(predictedOpening(8, { threads: 12, occupied })).toEqual(
      unpredictedOpening(8, { threads: 12, occupied }),
    )
    expect(predictedOpening(4, { threads: 12, occupied })).toMatchObject({ startAt: 100, spare: 0 })
  })

  it('is the first moment at which the job fits, and its spare threads are the ones free then', () => {
    fc.assert(
      fc.property(blocked, ({ threads, occupied, width }) => {
        const freeAt = (time: number) =>
          threads -
          occupied.filter(({ endAt }) => endAt > time).reduce((sum, job) => sum + job.width, 0)
        const { startAt, spare } = predictedOpening(width, { threads, occupied })
        const first = occupied
          .map(({ endAt }) => endAt)
          .sort((a, b) => a - b)
          .find((time) => freeAt(time) >= width)
        expect(startAt).toBe(first)
        expect(spare).toBe(freeAt(startAt) - width)
      }),
    )
  })
})
