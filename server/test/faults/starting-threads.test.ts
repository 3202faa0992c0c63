import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestWorker, type TestWorker } from '../workers.ts'

const types = `
import { threadId } from 'node:worker_threads'
import { defineJob } from 'heddle'
import { z } from 'zod'
const payload = z.looseObject({})
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export default [
  defineJob({ type: 'where', payload, run: async ({ ms }) => { if (ms) await rest(ms); return threadId } }),
  defineJob({ type: 'wide', payload, parallel: {
    split: (_, width) => Array.from({ length: width }, (_, n) => n), run: (chunk) => chunk, merge: (parts) => parts,
  } }),
]`
const failsInThreads = `
import { workerData } from 'node:worker_threads'
import { defineJob } from 'heddle'
import { z } from 'zod'
if (workerData?.control) throw new Error('not in a thread')
export default defineJob({ type: 'where', payload: z.looseObject({}), run: () => 1 })`

describe.each(['process', 'thread'] as const)(
  'a fresh worker with its threads in a %s',
  (isolation) => {
    let test: TestWorker
    beforeEach(async () => {
      test = await startTestWorker(types, isolation)
    })
    afterEach(() => test.close())

    const threadsOf = async (count: number, ms: number): Promise<Set<string>> => {
      const jobs = Array.from({ length: count }, () => test.run('where', { ms }))
      const results = await Promise.all(jobs)
      return new Set(results.map(({ outcome }) => ('result' in outcome ? outcome.result : '')))
    }

    it('runs small jobs on the thread it has, and does not have them wait for others to start', async () => {
      test.worker.warm()
      const [thread] = await threadsOf(1, 0)
      expect(await threadsOf(4, 0)).toEqual(new Set([thread]))
    })

    it('starts a thread for each job that would have to wait', async () => {
      expect((await threadsOf(2, 1_500)).size).toBe(2)
    })

    it('cancels a job whose thread has not started, and hands back those behind it', async () => {
      const batch = test.runBatch([{ type: 'where', payload: { ms: 60_000 } }, { type: 'where' }])
      test.worker.cancel(['job-1'])
      const kinds = (await batch).map(({ outcome }) => outcome.kind)
      expect(kinds).toEqual(['cancelled', 'interrupted'])
      expect(await threadsOf(1, 0)).toHaveProperty('size', 1)
    })

    it('ends a job by its time limit also where its thread took longer than that to start', async () => {
      const { outcome } = await test.run('where', { ms: 60_000 }, { timeoutMs: 100 })
      expect(outcome).toMatchObject({ kind: 'timedOut' })
    })

    it('does not count the start of its threads against the time limit of a gang', async () => {
      const { outcome } = await test.run('wide', {}, { width: 4, timeoutMs: 200 })
      expect(outcome).toEqual({ kind: 'completed', result: '[0,1,2,3]' })
    })

    it('begins what comes next on a thread after the job before, also where that waits for the thread', async () => {
      const before = test.run('where', { ms: 20 })
      const next = test.runBehind(test.lastOrder(), [{ type: 'where' }])
      const [first, [second]] = await Promise.all([before, next])
      expect(first.outcome.kind).toBe('completed')
      // On a machine so slow that the thread took a quarter of a second, it is given back.
      expect(second!.outcome.kind).toMatch(/completed|interrupted/)
      if (second!.outcome.kind === 'completed')
        expect(second!.startedAt).toBeGreaterThanOrEqual(first.finishedAt)
    })
  },
)

it('says of a job why the thread for it could not start', async () => {
  const test = await startTestWorker(failsInThreads, 'process')
  for (let round = 0; round < 2; round += 1) {
    expect(await test.run('where')).toMatchObject({
      outcome: { kind: 'lost', error: { message: 'not in a thread', code: 'UNCAUGHT' } },
    })
  }
  await test.close()
})
