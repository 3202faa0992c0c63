import { describe, expect, it } from 'vitest'
import { createBatcher, type BatcherOptions } from './batcher.ts'

/** A batcher whose runs wait until they are let go, and which remembers what each run was given. */
function recorded(options: Partial<Omit<BatcherOptions<number, string>, 'run' | 'bytes'>> = {}) {
  const runs: number[][] = []
  const gates: (() => void)[] = []
  const batcher = createBatcher<number, string>({
    maxItems: 100,
    maxFlights: 1,
    ...options,
    ...(options.maxBytes === undefined ? {} : { bytes: (n) => n }),
    async run(items) {
      runs.push(items)
      await new Promise<void>((resolve) => gates.push(resolve))
      if (items.includes(13)) throw new Error('thirteen')
      return items.map((item) => `r${item}`)
    },
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { runs, batcher, turn, release: () => gates.shift()?.() }
}

describe('batcher', () => {
  it('runs what arrives within one turn together, and answers each call with its own outputs', async () => {
    const { batcher, runs, turn, release } = recorded()
    const calls = [batcher.add([1, 2]), batcher.add([3]), batcher.add([])]
    await turn()
    release()
    expect(await Promise.all(calls)).toEqual([['r1', 'r2'], ['r3'], []])
    expect(runs).toEqual([[1, 2, 3]])
  })

  it('lets the next batch grow while the allowed number of runs is under way', async () => {
    const { batcher, runs, turn, release } = recorded()
    const first = batcher.add([1])
    await turn()
    const later = [batcher.add([2]), batcher.add([3])]
    await turn()
    expect(runs).toEqual([[1]])
    release()
    await first
    await turn()
    expect(runs).toEqual([[1], [2, 3]])
    release()
    expect(await Promise.all(later)).toEqual([['r2'], ['r3']])
  })

  it('never tears a call apart, and keeps the limits otherwise', async () => {
    const byCount = recorded({ maxItems: 3, maxFlights: 9 })
    for (const items of [[1, 2], [3, 4], [5, 6, 7, 8], [9]]) void byCount.batcher.add(items)
    await byCount.turn()
    expect(byCount.runs).toEqual([[1, 2], [3, 4], [5, 6, 7, 8], [9]])

    const byBytes = recorded({ maxBytes: 10, maxFlights: 9 })
    for (const items of [[6], [3], [2], [50]]) void byBytes.batcher.add(items)
    await byBytes.turn()
    expect(byBytes.runs).toEqual([[6, 3], [2], [50]])
  })

  it('lets small batches go one after another, and large ones beside them', async () => {
    const byCount = recorded({ maxItems: 10, maxFlights: 4, smallBelow: 0.4 })
    const add = async (...items: number[]) => {
      void byCount.batcher.add(items)
      await byCount.turn()
    }
    await add(1)
    await add(2, 3, 4)
    expect(byCount.runs).toEqual([[1]])
    await add(5)
    expect(byCount.runs).toEqual([[1], [2, 3, 4, 5]])
    await add(6)
    expect(byCount.runs).toEqual([[1], [2, 3, 4, 5]])
    byCount.release()
    await byCount.turn()
    // The large one is still under way.
    expect(byCount.runs).toEqual([[1], [2, 3, 4, 5], [6]])

    const byBytes = recorded({ maxBytes: 100, maxFlights: 4, smallBelow: 0.4 })
    for (const items of [[1], [39], [1]]) {
      void byBytes.batcher.add(items)
      await byBytes.turn()
    }
    expect(byBytes.runs).toEqual([[1], [39, 1]])
  })

  it('fails the calls of a failed run and no others', async () => {
    const { batcher, turn, release } = recorded({ maxItems: 1, maxFlights: 2 })
    const unlucky = batcher.add([13])
    const lucky = batcher.add([7])
    await turn()
    release()
    release()
    await expect(unlucky).rejects.toThrow('thirteen')
    expect(await lucky).toEqual(['r7'])
  })
})
