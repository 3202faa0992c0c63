import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestWorker, type TestWorker } from '../workers.ts'

const types = `
import { defineJob } from 'heddle'
import { z } from 'zod'
const job = (type, run) => defineJob({ type, payload: z.looseObject({}), run })
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export default [
  job('fine', () => 'fine'),
  job('nothing', () => undefined),
  job('large', () => 'x'.repeat(2_000_000)),
  job('throws', () => { throw Object.assign(new RangeError('out of bounds'), { code: 'E_BOUNDS' }) }),
  job('who', (_, { jobId, attempt }) => jobId + ' ' + attempt),
  job('exits', () => process.exit(7)),
  job('spins', () => { for (;;) {} }),
  job('says_it_runs', async (_, context) => { context.progress(0.5); while (!context.cancelled) await rest(5); context.throwIfCancelled() }),
]`

describe.each(['process', 'thread'] as const)(
  'a worker given a batch, its threads in a %s',
  (isolation) => {
    let test: TestWorker
    beforeAll(async () => {
      test = await startTestWorker(types, isolation)
    })
    afterAll(() => test.close())
    // Whatever happened, the thread must be there for the next job.
    afterEach(async () => {
      expect(await test.run('fine')).toMatchObject({ outcome: { kind: 'completed' } })
    })

    it('tells each job of a batch its own id', async () => {
      const results = await test.runBatch([{ type: 'who' }, { type: 'nothing' }, { type: 'who' }])
      const [first, , last] = test.lastIds(3)
      expect(results.map(({ outcome }) => outcome)).toEqual(
        [`"${first} 1"`, 'null', `"${last} 1"`].map((result) => ({ kind: 'completed', result })),
      )
    })

    it('answers each job of a batch by its own', async () => {
      const results = await test.runBatch(['fine', 'throws', 'fine'].map((type) => ({ type })))
      expect(results.map(({ outcome }) => outcome.kind)).toEqual([
        'completed',
        'failed',
        'completed',
      ])
    })

    it('blames a dead thread on the job that ran, and hands back those behind it', async () => {
      const results = await test.runBatch(
        ['fine', 'exits', 'fine', 'fine'].map((type) => ({ type })),
      )
      const kinds = results.map(({ outcome }) => outcome.kind)
      expect(kinds).toEqual(['completed', 'lost', 'interrupted', 'interrupted'])
    })

    it.each([
      ['completed', { type: 'fine' }, { kind: 'completed', result: '"fine"' }],
      ['failed', { type: 'throws' }, { kind: 'failed', error: { code: 'E_BOUNDS' } }],
      ['completed with a large result', { type: 'large' }, { kind: 'completed' }],
    ])(
      'tells what has %s while the next job of its batch keeps the thread',
      async (_, job, told) => {
        const [first, second, long, last] = test.runEach([
          { type: 'fine' },
          job,
          { type: 'spins' },
          job,
        ])
        const [, , spinning] = test.lastIds(4)
        expect(await Promise.race([second, long])).toMatchObject({ place: 1, outcome: told })
        expect(await Promise.race([first, long])).toMatchObject({ place: 0 })
        expect(await last).toMatchObject({ outcome: { kind: 'interrupted' } })
        test.worker.cancel([spinning!])
        expect(await long).toMatchObject({ outcome: { kind: 'cancelled' } })
      },
    )

    it('tells it also where the job that keeps the thread is the last of the batch', async () => {
      const [first, long] = test.runEach([{ type: 'fine' }, { type: 'spins' }])
      expect(await Promise.race([first, long])).toMatchObject({ place: 0 })
      test.worker.cancel([test.lastId()])
      expect(await long).toMatchObject({ outcome: { kind: 'cancelled' } })
    })

    it('hands back small jobs from behind a long one, and ends it by its own limit', async () => {
      const batch = [{ type: 'fine' }, { type: 'spins', timeoutMs: 400 }, { type: 'fine' }]
      const results = await test.runBatch(batch)
      const kinds = results.map(({ outcome }) => outcome.kind)
      expect(kinds).toEqual(['completed', 'timedOut', 'interrupted'])
      const [, long, behind] = results
      expect(behind!.finishedAt).toBeLessThan(long!.finishedAt)
    })

    it('cancels several jobs of a batch at once: the one that runs is stopped, the others do not start', async () => {
      test.progress.length = 0
      const results = test.runBatch(
        ['fine', 'says_it_runs', 'spins', 'spins'].map((type) => ({ type })),
      )
      const ids = test.lastIds(4)
      await vi.waitFor(() => expect(test.progress).toMatchObject([{ jobId: ids[1] }]))
      test.worker.cancel(ids)
      const kinds = (await results).map(({ outcome }) => outcome.kind)
      expect(kinds).toEqual(['completed', 'cancelled', 'interrupted', 'interrupted'])
    })

    it('hands back what runs when it is closed, and tells what had completed', async () => {
      const closing = await startTestWorker(types, isolation)
      const results = closing.runBatch(['fine', 'says_it_runs', 'fine'].map((type) => ({ type })))
      await vi.waitFor(() => expect(closing.progress).toHaveLength(1))
      await closing.close()
      const kinds = (await results).map(({ outcome }) => outcome.kind)
      expect(kinds).toEqual(['completed', 'interrupted', 'interrupted'])
    })
  },
)
