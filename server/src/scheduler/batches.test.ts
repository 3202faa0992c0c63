import { describe, expect, it } from 'vitest'
import type { QueuedJob } from '../core/job.ts'
import type { Start } from '../core/plan.ts'
import { fillBatches } from './batches.ts'

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
const msOf: Record<string, number | null> = { tiny: 0.1, heavy: 50, unknown: null }
const fill = (queued: QueuedJob[], started: number) =>
  fillBatches({
    starts: queued.slice(0, started).map(start),
    queued,
    clusterMaxThreads: 8,
    predict: ({ type }) => msOf[type] ?? null,
  }).map(({ start: { id }, followers }) => [id, ...followers.map((each) => each.id)])

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
    expect(fill(many, 2).map((batch) => batch.length)).toEqual([500, 500])
    const slower = many.map((each) => ({ ...each, type: 'slower' }))
    msOf.slower = 2
    expect(fill(slower, 1)[0]).toHaveLength(5)
  })
})
