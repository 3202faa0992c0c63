import { describe, expect, it } from 'vitest'
import type { QueuedJob } from '../core/job.ts'
import type { Start } from '../core/plan.ts'
import { fillBatches } from './batches.ts'
import type { Slot } from './running.ts'

const job = (n: number, fields: Partial<QueuedJob> = {}): QueuedJob => ({
  id: `j${String(n).padStart(3, '0')}`,
  type: 'tiny',
  rank: n,
  gang: 1,
  threadDemand: 1,
  createdAt: 0,
  ...fields,
})
const start = ({ id }: QueuedJob): Start => ({
  id,
  workerName: 'worker-1',
  width: 1,
  widthReason: 'AS_DEMANDED',
  reason: 'IN_ORDER',
})
const msOf: Record<string, number | null> = { tiny: 0.125, short: 15, heavy: 60, unknown: null }
const fill = (queued: QueuedJob[], started: number, busy: Slot[] = [], nextLimit = Infinity) =>
  fillBatches({
    starts: queued.slice(0, started).map(start),
    queued,
    ...{ busy, nextLimit, rankStep: 1000 },
    clusterMaxThreads: 8,
    workers: [],
    predict: ({ type }) => msOf[type] ?? null,
  }).map(({ starts }) => starts.map(({ id }) => id))
const slot = { workerName: 'worker-1', width: 1 } as Slot

describe('batches of small jobs', () => {
  it('deal the jobs behind the started ones out over their threads, best first on each', () => {
    expect(
      fill(
        [0, 1, 2, 3, 4].map((n) => job(n)),
        2,
      ),
    ).toEqual([
      ['j000', 'j002', 'j004'],
      ['j001', 'j003'],
    ])
  })

  it('never take a job past one that is not small: that one waits for a thread in its turn', () => {
    const behindHeavy = [job(0), job(1), job(2, { type: 'heavy' }), job(3)]
    expect(fill(behindHeavy, 1)).toEqual([['j000', 'j001']])
    const behindGang = [job(0), job(1, { gang: 4 }), job(2)]
    expect(fill(behindGang, 1)).toEqual([['j000']])
  })

  it('never put a job behind one whose run time is long or unknown', () => {
    expect(fill([job(0, { type: 'unknown' }), job(1)], 1)).toEqual([['j000']])
    expect(fill([job(0, { type: 'heavy' }), job(1), job(2)], 2)).toEqual([
      ['j000'],
      ['j001', 'j002'],
    ])
  })

  it('hold no more than a message and a few ms of work should', () => {
    const many = Array.from({ length: 1500 }, (_, n) => job(n, { type: 'tiniest' }))
    msOf.tiniest = 0.001
    expect(fill(many, 1).map((batch) => batch.length)).toEqual([1000])
    const slower = many.map((each) => ({ ...each, type: 'slower' }))
    msOf.slower = 2
    expect(fill(slower, 1)[0]).toHaveLength(5)
    // Of 64 kB each.
    const large = many.map((each) => ({ ...each, sizeClass: 16 }))
    expect(fill(large, 1)[0]).toHaveLength(64)
  })

  it('come next on threads at work, once those that are free have all they can take', () => {
    const many = Array.from({ length: 600 }, (_, n) => job(n))
    const [now, next] = fill(many, 1, [slot])
    expect([now?.[0], now?.length]).toEqual(['j000', 80])
    expect([next?.[0], next?.length]).toEqual(['j080', 400])
  })

  it('come next where they are short but not small, up to what a thread may get', () => {
    const short = Array.from({ length: 9 }, (_, n) => job(n, { type: 'short' }))
    expect(fill(short, 0, [slot, slot]).map((batch) => batch.length)).toEqual([4, 4])
    expect(fill(short, 1, [slot])).toEqual([['j000'], ['j001', 'j002', 'j003', 'j004']])
  })

  it('come next no more of them than a thread may have', () => {
    const many = Array.from({ length: 9 }, (_, n) => job(n))
    expect(fill(many, 0, [slot], 3)).toEqual([['j000', 'j001', 'j002']])
    // What starts at once shares its message as ever.
    expect(fill(many, 1, [], 3)[0]).toHaveLength(9)
  })

  it('come next with their peers alone, so that one of lower rank stays where better ones can pass it', () => {
    const ranked = [0, 999, 1000, 1001].map((rank, n) => job(n, { rank }))
    expect(fill(ranked, 0, [slot])).toEqual([['j000', 'j001']])
    expect(fill(ranked, 0, [slot, slot])).toEqual([['j000'], ['j001']])
    expect(fill(ranked.slice(1), 0, [slot, slot])).toEqual([['j001'], ['j002', 'j003']])
  })

  it('leave a long job to come next alone on its thread, before those behind it', () => {
    const queued = [job(0, { type: 'heavy' }), job(1), job(2), job(3, { type: 'heavy' }), job(4)]
    expect(fill(queued, 0, [slot, slot])).toEqual([['j000'], ['j001', 'j002']])
    expect(fill(queued, 0, [slot])).toEqual([['j000']])
  })

  it('come next only in their turn: nothing passes a job that has to wait', () => {
    expect(fill([job(0, { gang: 4 }), job(1)], 0, [slot])).toEqual([])
    expect(fill([job(0, { type: 'unknown' }), job(1)], 0, [slot])).toEqual([])
  })
})
