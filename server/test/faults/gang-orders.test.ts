import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestWorker, type TestWorker } from '../workers.ts'

const THREADS = 3
const types = `
import { defineJob } from 'heddle'
import { z } from 'zod'
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const gang = (type, run, merge = (parts) => parts) => defineJob({
  type,
  payload: z.looseObject({}),
  parallel: { split: (payload, width) => Array.from({ length: width }, (_, n) => ({ n, ...payload })), run, merge },
})
export default [
  gang('wide', ({ n, text }) => text.slice(0, 5) + n),
  gang('who', (_, { jobId, attempt, width }) => [jobId, attempt, width].join(), (parts) => parts[0]),
  gang('naps', ({ ms }) => rest(ms)),
  gang('throws', ({ n }) => { if (n === 1) throw new Error('chunk 1'); for (;;) {} }),
  gang('exits', ({ n }) => { if (n === 1) process.exit(7) }),
  gang('spins', () => { for (;;) {} }),
  gang('says_it_runs', async (_, context) => { context.progress(0.5); while (!context.cancelled) await rest(5); context.throwIfCancelled() }),
]`

describe.each(['process', 'thread'] as const)('gangs of one order, in a %s', (isolation) => {
  let test: TestWorker
  beforeAll(async () => {
    test = await startTestWorker(types, isolation, { threads: THREADS })
  })
  afterAll(() => test.close())
  const run = (...items: Parameters<TestWorker['runBatch']>[0]) =>
    test.runBatch(items, { width: THREADS })
  const kindsOf = async (results: ReturnType<typeof run>): Promise<string[]> =>
    (await results).map(({ outcome }) => outcome.kind)
  const wide = (text: string) => ({ type: 'wide', payload: { text } })
  // Whatever happened, every thread of the worker is there for the next gang.
  afterEach(async () => {
    expect(await run(wide('after'))).toMatchObject([
      { outcome: { kind: 'completed', result: '["after0","after1","after2"]' } },
    ])
  })

  it('run after each other, each on all of the threads and with its own payload', async () => {
    // The last one is so long that all payloads travel as bytes.
    const results = await run(wide('first'), { type: 'who' }, wide('third'.padEnd(5000)))
    const [, who] = test.lastIds(3)
    expect(results.map(({ outcome }) => outcome)).toEqual(
      ['["first0","first1","first2"]', `"${who},1,${THREADS}"`, '["third0","third1","third2"]'].map(
        (result) => ({ kind: 'completed', result }),
      ),
    )
    const [first, second, third] = results
    expect(second!.startedAt).toBeGreaterThanOrEqual(first!.finishedAt)
    expect(third!.startedAt).toBeGreaterThanOrEqual(second!.finishedAt)
  })

  it.each([
    ['throws', 'failed'],
    ['exits', 'lost'],
  ])('stop behind one that %s: those after it go back', async (type, kind) => {
    const results = run(wide('fine'), { type }, wide('never'), wide('never'))
    expect(await kindsOf(results)).toEqual(['completed', kind, 'interrupted', 'interrupted'])
  })

  it('stop behind one that runs past its time limit', async () => {
    const results = run(wide('fine'), { type: 'spins', timeoutMs: 150 }, wide('never'))
    expect(await kindsOf(results)).toEqual(['completed', 'timedOut', 'interrupted'])
  })

  it('go back from behind one that takes long, while it runs', async () => {
    const results = await run({ type: 'naps', payload: { ms: 400 } }, wide('back'))
    expect(results.map(({ outcome }) => outcome.kind)).toEqual(['completed', 'interrupted'])
    expect(results[1]!.finishedAt).toBeLessThan(results[0]!.finishedAt)
  })

  it('go back from behind one that is cancelled', async () => {
    test.progress.length = 0
    const results = run(wide('fine'), { type: 'says_it_runs' }, wide('never'))
    const [, running] = test.lastIds(3)
    await vi.waitFor(() => expect(test.progress[0]).toMatchObject({ jobId: running }))
    test.worker.cancel([running!])
    expect(await kindsOf(results)).toEqual(['completed', 'cancelled', 'interrupted'])
  })

  it('go back where one of them is to be cancelled that has not started: the one that runs goes on', async () => {
    // With its threads up: before they are, the order has not begun, and goes back as a whole.
    await run(wide('up'))
    const results = run({ type: 'naps', payload: { ms: 45 } }, wide('never'), { type: 'spins' })
    test.worker.cancel([test.lastId()])
    expect(await kindsOf(results)).toEqual(['completed', 'interrupted', 'interrupted'])
  })

  it('are told of once they have completed, however long the next one runs', async () => {
    const results = run(wide('fine'), { type: 'says_it_runs' })
    const [, running] = test.lastIds(2)
    // A worker in a process is taken to be at the first job that it has not answered for.
    await vi.waitFor(() => expect(new Set(test.worker.busy())).toEqual(new Set([running])))
    test.worker.cancel([running!])
    expect(await kindsOf(results)).toEqual(['completed', 'cancelled'])
  })
})

it('gangs of an order that were not told of yet go back when their worker is closed', async () => {
  const test = await startTestWorker(types, 'thread', { threads: THREADS })
  const order = test.runBatch([{ type: 'who' }, { type: 'says_it_runs' }, { type: 'who' }], {
    width: THREADS,
  })
  await vi.waitFor(() => expect(test.progress.length).toBeGreaterThan(0))
  await test.close()
  const kinds = (await order).map(({ outcome }) => outcome.kind)
  expect(kinds).toEqual(['interrupted', 'interrupted', 'interrupted'])
})
