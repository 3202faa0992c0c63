import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createQueue } from './queue.ts'
import { compareRank } from './rank.ts'
import { queuedJob } from './testing.ts'

const anyJob = fc
  .record({ id: fc.integer({ min: 0, max: 30 }).map(String), rank: fc.integer({ min: 0, max: 5 }) })
  .map(queuedJob)
const ids = (jobs: Iterable<{ id: string }>): string[] => [...jobs].map(({ id }) => id)

describe('queue', () => {
  it('gives jobs by rank, then by id', () => {
    const queue = createQueue([
      queuedJob({ id: 'c', rank: 1 }),
      queuedJob({ id: 'b', rank: 2 }),
      queuedJob({ id: 'a', rank: 1 }),
    ])
    expect(ids(queue)).toEqual(['a', 'c', 'b'])
    expect(queue.pop()?.id).toBe('a')
    expect(queue.peek()?.id).toBe('c')
  })

  it('ignores a job that is in it already', () => {
    const queue = createQueue([queuedJob({ id: 'a', rank: 5 })])
    queue.add(queuedJob({ id: 'a', rank: 1 }))
    expect(queue.size).toBe(1)
    expect(queue.get('a')?.rank).toBe(5)
  })

  it('answers for jobs it does not hold', () => {
    const queue = createQueue()
    expect([queue.peek(), queue.pop(), queue.get('a'), queue.remove('a'), queue.has('a')]).toEqual([
      undefined,
      undefined,
      undefined,
      false,
      false,
    ])
  })

  it('agrees with a sorted list under any sequence of calls', () => {
    const call = fc.oneof(
      fc.record({ call: fc.constant('add' as const), job: anyJob }),
      fc.record({ call: fc.constant('remove' as const), job: anyJob }),
      fc.record({ call: fc.constant('pop' as const) }),
      fc.record({ call: fc.constant('keepBest' as const), n: fc.nat(12) }),
      fc.record({ call: fc.constant('addMany' as const), from: fc.nat(200), n: fc.nat(100) }),
      fc.record({ call: fc.constant('removeMany' as const), step: fc.integer({ min: 1, max: 4 }) }),
    )
    const many = (from: number, n: number) =>
      Array.from({ length: n }, (_, i) =>
        queuedJob({ id: String(1000 + from + i), rank: (from + i) % 150 > 140 ? 0 : 3 }),
      )
    fc.assert(
      fc.property(fc.array(call, { maxLength: 120 }), (calls) => {
        const queue = createQueue()
        let model: ReturnType<typeof queuedJob>[] = []
        for (const step of calls) {
          if (step.call === 'add') {
            queue.add(step.job)
            if (!model.some(({ id }) => id === step.job.id)) model.push(step.job)
            model.sort(compareRank)
          } else if (step.call === 'remove') {
            const was = model.some(({ id }) => id === step.job.id)
            expect(queue.remove(step.job.id)).toBe(was)
            model = model.filter(({ id }) => id !== step.job.id)
          } else if (step.call === 'addMany') {
            for (const job of many(step.from, step.n)) {
              queue.add(job)
              if (!model.some(({ id }) => id === job.id)) model.push(job)
            }
            model.sort(compareRank)
          } else if (step.call === 'removeMany') {
            const gone = model.filter((_, n) => n % step.step === step.step - 1)
            for (const { id } of gone) expect(queue.remove(id)).toBe(true)
            model = model.filter((job) => !gone.includes(job))
          } else if (step.call === 'pop') {
            expect(queue.pop()).toEqual(model.shift())
          } else {
            queue.keepBest(step.n)
            model = model.slice(0, step.n)
          }
          expect([...queue]).toEqual(model)
          expect(queue.size).toBe(model.length)
          for (const job of model) expect(queue.has(job.id)).toBe(true)
        }
      }),
    )
  })

  it('forgets those that were removed behind a job that stays, however many', () => {
    const queue = createQueue()
    const numbered = (n: number) => queuedJob({ id: String(n).padStart(6, '0'), rank: 0 })
    for (let n = 0; n < 20_000; n += 1) queue.add(numbered(n))
    for (let n = 1; n < 15_000; n += 1) queue.remove(numbered(n).id)
    expect(ids(queue).slice(0, 2)).toEqual(['000000', '015000'])
    expect(queue.size).toBe(5001)
    queue.add(numbered(7))
    expect(ids(queue).slice(0, 3)).toEqual(['000000', '000007', '015000'])
  })

  it('compares a number of jobs that does not grow with the queue when the best few are looked at', () => {
    const reads = (length: number): number => {
      let count = 0
      const queue = createQueue()
      for (let i = 0; i < length; i += 1) {
        const job = queuedJob({ id: String(i).padStart(9, '0') })
        queue.add(Object.defineProperty(job, 'rank', { get: () => ((count += 1), i) }))
      }
      count = 0
      const iterator = queue[Symbol.iterator]()
      for (let i = 0; i < 20; i += 1) iterator.next()
      return count
    }
    expect(reads(20_000)).toBe(reads(1_000))
  })
})
