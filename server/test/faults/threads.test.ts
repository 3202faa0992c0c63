import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestWorker, type TestWorker } from '../workers.ts'

const types = `
import { defineJob } from 'heddle'
import { z } from 'zod'
const any = z.looseObject({})
const job = (type, run) => defineJob({ type, payload: any, run })
const gang = (type, run) => defineJob({
  type, payload: any,
  parallel: { split: (_, width) => Array.from({ length: width }, (_, n) => n), run, merge: (parts) => parts },
})
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export default [
  job('fine', () => 'fine'),
  job('naps', ({ ms }) => rest(ms)),
  job('exits_later', async () => { await rest(50); process.exit(7) }),
  job('throws', () => { throw Object.assign(new RangeError('out of bounds'), { code: 'E_BOUNDS' }) }),
  job('throws_text', () => { throw 'just text' }),
  job('rejects', async () => { await rest(1); throw new Error('later') }),
  job('throws_in_timer', () => new Promise(() => setTimeout(() => { throw new Error('in a timer') }, 1))),
  job('unhandled', () => new Promise(() => { Promise.reject(new Error('nobody listens')) })),
  job('unhandled_text', () => new Promise(() => { Promise.reject('a word') })),
  job('exits', () => process.exit(7)),
  job('overflows', () => { const deeper = () => deeper() + 1; return deeper() }),
  job('not_json', () => 10n),
  job('circle', () => { const circle = {}; circle.self = circle; return circle }),
  job('nothing', () => undefined),
  job('spins', () => { for (;;) {} }),
  job('waits', () => rest(60_000)),
  job('polite', async (_, context) => { while (!context.cancelled) await rest(5); context.throwIfCancelled() }),
  job('says_it_runs', async (_, context) => { context.progress(0.5); while (!context.cancelled) await rest(5); context.throwIfCancelled() }),
  job('signalled', (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))),
  job('signalled_late', async (_, context) => { context.progress(0.5); while (!context.cancelled) await rest(5); context.signal.throwIfAborted(); return 'was not told' }),
  job('who', (_, { jobId, attempt }) => jobId + ' ' + attempt),
  job('tells', async (_, context) => { for (const part of [0, 0.5, 1]) { context.progress(part); await rest(110) } }),
  job('keeps_objects', () => { const kept = []; for (;;) kept.push({ a: kept.length }) }),
  job('joins_text', () => { let text = 'x'; const kept = []; for (;;) kept.push((text += 'yyyyyyyyyy').split('')) }),
  job('huge_arrays', () => { const kept = []; for (;;) kept.push(new Array(5e6).fill(1)) }),
  job('big_map', () => { const map = new Map(); for (let n = 0; ; n += 1) map.set(n, n) }),
  job('parses', () => { const text = '[' + '{"a":1},'.repeat(3e6) + '0]'; const kept = []; for (;;) kept.push(JSON.parse(text)) }),
  job('sorts', () => Array.from({ length: 3e7 }, (_, n) => -n).sort((a, b) => a - b).length),
  gang('wide', (chunk) => chunk),
  gang('one_fails', (chunk) => { if (chunk === 1) throw new Error('chunk 1'); for (;;) {} }),
  gang('one_exits', (chunk) => { if (chunk === 1) process.exit(1); return chunk }),
  gang('uncloneable', () => () => 0),
]`

describe.each(['process', 'thread'] as const)('a worker with its threads in a %s', (isolation) => {
  let test: TestWorker
  beforeAll(async () => {
    test = await startTestWorker(types, isolation, { maxOldGenerationSizeMb: 64 })
  })
  afterAll(() => test.close())
  // Whatever happened, every thread of the worker must be there for the next job.
  afterEach(async () => {
    expect(await test.run('wide', {}, { width: 4 })).toMatchObject({
      outcome: { kind: 'completed', result: '[0,1,2,3]' },
    })
  })

  it.each([
    ['throws', { name: 'RangeError', message: 'out of bounds', code: 'E_BOUNDS' }],
    ['throws_text', { message: 'just text' }],
    ['rejects', { name: 'Error', message: 'later' }],
    ['overflows', { name: 'RangeError' }],
    ['not_json', { name: 'TypeError' }],
    ['circle', { name: 'TypeError' }],
  ])('fails the attempt of a job that %s, with its error and stack', async (type, error) => {
    const { outcome } = await test.run(type)
    expect(outcome).toMatchObject({ kind: 'failed', error })
  })

  describe('given what comes next on a busy thread', () => {
    const completed = { outcome: { kind: 'completed', result: '"fine"' } }
    const interrupted = { outcome: { kind: 'interrupted' } }

    it('begins with it when the job before has ended', async () => {
      // With its threads up: what waits for one to start for long is given back.
      await test.run('wide', {}, { width: 4 })
      const before = test.run('naps', { ms: 60 })
      const next = await test.runBehind(test.lastOrder(), [{ type: 'fine' }, { type: 'fine' }])
      const { finishedAt } = await before
      expect(next).toMatchObject([completed, completed])
      expect(next[0]!.startedAt).toBeGreaterThanOrEqual(finishedAt)
    })

    it('runs it at once where that job has ended already', async () => {
      await test.run('fine')
      expect(await test.runBehind(test.lastOrder(), [{ type: 'fine' }])).toMatchObject([completed])
    })

    it('gives it back when it is called back, and never runs it', async () => {
      const before = test.run('naps', { ms: 80 })
      const next = test.runBehind(test.lastOrder(), [{ type: 'exits' }, { type: 'exits' }])
      test.worker.recall([test.lastId()])
      expect(await next).toMatchObject([interrupted, interrupted])
      expect(await before).toMatchObject({ outcome: { kind: 'completed' } })
      expect(await test.run('fine')).toMatchObject(completed)
    })

    it('does not call back what has begun', async () => {
      const waits = test.runBehind(0, [{ type: 'naps', payload: { ms: 60 } }])
      test.worker.recall([test.lastId()])
      expect(await waits).toMatchObject([{ outcome: { kind: 'completed' } }])
    })

    it('gives it back where the job before takes long, and takes more there', async () => {
      const before = test.run('naps', { ms: 600 })
      const long = test.lastOrder()
      expect(await test.runBehind(long, [{ type: 'exits' }])).toMatchObject([interrupted])
      const again = test.runBehind(long, [{ type: 'exits' }])
      test.worker.recall([test.lastId()])
      expect(await again).toMatchObject([interrupted])
      expect(await before).toMatchObject({ outcome: { kind: 'completed' } })
    })

    it('has all its threads again when it was called back the moment it could begin', async () => {
      await test.run('wide', {}, { width: 4 })
      // It takes a while to read, so that the job before has ended and this one not begun.
      const large = { type: 'fine', payload: { text: 'x'.repeat(5_000_000) } }
      const before = test.run('naps', { ms: 60 })
      const next = test.runBehind(test.lastOrder(), [large])
      const called = [test.lastId()]
      await before
      test.worker.recall(called)
      await next
      const all = await test.run('wide', {}, { width: 4 })
      expect(all).toMatchObject({ outcome: { kind: 'completed' } })
    })

    it('ends it by its own time limit, however short the job before was', async () => {
      const before = test.run('naps', { ms: 60 })
      const next = test.runBehind(test.lastOrder(), [{ type: 'spins', timeoutMs: 150 }])
      expect(await next).toMatchObject([{ outcome: { kind: 'timedOut' } }])
      expect(await before).toMatchObject({ outcome: { kind: 'completed' } })
    })

    it('gives it back when the thread dies of the job before, and blames it for nothing', async () => {
      const before = test.run('exits_later')
      const next = test.runBehind(test.lastOrder(), [{ type: 'fine' }])
      expect(await before).toMatchObject({ outcome: { kind: 'lost' } })
      expect(await next).toMatchObject([interrupted])
    })

    it('gives it back when the job before is cancelled, and cancels it alone', async () => {
      const before = test.run('spins')
      const spinning = test.lastId()
      const next = test.runBehind(test.lastOrder(), [{ type: 'fine' }])
      test.worker.cancel([spinning])
      expect(await before).toMatchObject({ outcome: { kind: 'cancelled' } })
      expect((await next)[0]!.outcome.kind).toMatch(/interrupted|completed/)
    })

    it('hands it back when it is to be cancelled itself, and the job before goes on', async () => {
      const before = test.run('naps', { ms: 80 })
      const next = test.runBehind(test.lastOrder(), [{ type: 'spins' }])
      test.worker.cancel([test.lastId()])
      expect(await next).toMatchObject([interrupted])
      expect(await before).toMatchObject({ outcome: { kind: 'completed' } })
    })
  })

  it('keeps the stack of what was thrown', async () => {
    const { outcome } = await test.run('throws')
    expect(outcome).toMatchObject({
      error: { stack: expect.stringContaining('types.ts') as string },
    })
  })

  it.each([
    ['throws_in_timer', { message: 'in a timer', code: 'UNCAUGHT' }],
    ['unhandled', { message: 'nobody listens', code: 'UNCAUGHT' }],
    ['unhandled_text', { code: 'UNCAUGHT' }],
    ['exits', { code: 'THREAD_EXIT', message: expect.stringContaining('7') as string }],
    ['keeps_objects', { code: 'OUT_OF_MEMORY' }],
  ])('loses only the attempt when a thread dies of a job that %s', async (type, error) => {
    const neighbour = test.run('tells')
    const { outcome } = await test.run(type)
    expect(outcome).toMatchObject({ kind: 'lost', error })
    expect(await neighbour).toMatchObject({ outcome: { kind: 'completed' } })
  })

  it('takes a job that returns nothing for done', async () => {
    expect(await test.run('nothing')).toMatchObject({
      outcome: { kind: 'completed', result: 'null' },
    })
  })

  it.each(['spins', 'waits', 'polite', 'signalled'])(
    'ends a job that %s past its time limit',
    async (type) => {
      const { outcome, startedAt, finishedAt } = await test.run(type, {}, { timeoutMs: 150 })
      expect(outcome).toMatchObject({ kind: 'timedOut', error: { code: 'TIMEOUT' } })
      expect(finishedAt - startedAt).toBeGreaterThanOrEqual(150)
    },
  )

  it.each(['spins', 'waits', 'polite', 'signalled'])(
    'stops a job that %s when asked',
    async (type) => {
      const stopped = test.run(type)
      await vi.waitFor(() => expect(test.worker.busy()).toContain(test.lastId()))
      test.worker.cancel([test.lastId()])
      expect(await stopped).toMatchObject({ outcome: { kind: 'cancelled' } })
    },
  )

  it('has told the signal of a job that asks for it only when it is to stop', async () => {
    test.progress.length = 0
    const stopped = test.run('signalled_late')
    const jobId = test.lastId()
    await vi.waitFor(() => expect(test.progress).toMatchObject([{ jobId }]))
    test.worker.cancel([jobId])
    expect(await stopped).toMatchObject({ outcome: { kind: 'cancelled' } })
  })

  it('stops a gang whose one chunk fails, and says why', async () => {
    expect(await test.run('one_fails', {}, { width: 4 })).toMatchObject({
      outcome: { kind: 'failed', error: { message: 'chunk 1' } },
    })
    expect(await test.run('one_exits', {}, { width: 4 })).toMatchObject({
      outcome: { kind: 'lost', error: { code: 'THREAD_EXIT' } },
    })
    expect(await test.run('uncloneable', {}, { width: 2 })).toMatchObject({
      outcome: { kind: 'failed', error: { name: 'DataCloneError' } },
    })
  })

  it('tells progress, 0 and 1 included', async () => {
    test.progress.length = 0
    await test.run('tells')
    await vi.waitFor(() =>
      expect(test.progress.map(({ fraction }) => fraction)).toEqual([0, 0.5, 1]),
    )
  })

  it('refuses work for more threads than are free', async () => {
    const stopped = test.run('waits')
    expect(() => test.worker.run([{ id: 0, width: 4, items: [] }])).toThrow(/free/)
    test.worker.cancel([test.lastId()])
    await stopped
  })

  it('loses no thread over a hundred deaths', async () => {
    for (let round = 0; round < 25; round += 1) {
      const four = await Promise.all(
        ['exits', 'exits', 'exits', 'exits'].map((type) => test.run(type)),
      )
      expect(new Set(four.map(({ outcome }) => outcome.kind))).toEqual(new Set(['lost']))
    }
  }, 120_000)
})

describe('a worker process', () => {
  it.each(['huge_arrays', 'big_map', 'joins_text', 'parses', 'sorts'])(
    'may die of a job that %s: its jobs are lost, the next ones run',
    async (type) => {
      const test = await startTestWorker(types, 'process', { maxOldGenerationSizeMb: 64 })
      const { outcome } = await test.run(type)
      expect(outcome.kind).toBe('lost')
      expect(outcome).toMatchObject({
        error: { code: expect.stringMatching(/OUT_OF_MEMORY|WORKER_EXIT/) as string },
      })
      expect(await test.run('fine')).toMatchObject({ outcome: { kind: 'completed' } })
      await test.close()
    },
  )

  it('ends its jobs by itself when nobody extends the lease', async () => {
    const test = await startTestWorker(types, 'process')
    test.worker.extendLease(300)
    expect(await test.run('spins')).toMatchObject({ outcome: { kind: 'interrupted' } })
    test.worker.extendLease(60_000)
    expect(await test.run('fine')).toMatchObject({ outcome: { kind: 'completed' } })
    await test.close()
  })

  it('hands back what runs when it is closed', async () => {
    const test = await startTestWorker(types, 'process')
    const spinning = test.run('spins')
    await test.close()
    expect(await spinning).toMatchObject({ outcome: { kind: 'interrupted' } })
  })
})
