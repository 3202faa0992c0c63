import { setImmediate as phase, setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createFeed } from './feed.ts'
import { createPace } from './pace.ts'

/** A loop whose time passes only where a test says so. */
function createLoop() {
  const passed = { all: 0, idle: 0 }
  return {
    work: (ms: number): void => void (passed.all += ms),
    idle(ms: number): void {
      passed.all += ms
      passed.idle += ms
    },
    times: () => ({ ...passed }),
  }
}

/** Readers that are never done, each of whose turns takes `ms`. */
function startReaders(count: number, ms: number) {
  const loop = createLoop()
  const pace = createPace(loop.times)
  const turns = Array.from({ length: count }, () => 0)
  const read = (reader: number): void =>
    pace(() => {
      turns[reader] = (turns[reader] ?? 0) + 1
      loop.work(ms)
      read(reader)
    })
  for (const reader of turns.keys()) read(reader)
  return { loop, turns, all: () => turns.reduce((sum, each) => sum + each, 0) }
}

/** Long enough for whatever is due, however short the allowance of it was said to be. */
const settled = async (): Promise<void> => {
  await sleep(20)
  for (let times = 0; times < 100; times += 1) await phase()
}

describe('the pace of those who watch', () => {
  it('leaves a busy event loop to others but for a quarter, however many watch', async () => {
    for (const readers of [1, 100]) {
      const { loop, all } = startReaders(readers, 1)
      await settled()
      const before = all()
      // What others do while readers wait.
      for (let round = 0; round < 20; round += 1) {
        loop.work(4)
        await settled()
      }
      const told = all() - before
      expect(told).toBeGreaterThan(15)
      expect(told).toBeLessThan(35)
    }
  })

  it('gives them what the loop would idle', async () => {
    const { loop, all } = startReaders(1, 1)
    await settled()
    const before = all()
    for (let round = 0; round < 20; round += 1) {
      loop.idle(4)
      await settled()
    }
    expect(all() - before).toBeGreaterThan(75)
  })

  it('gives turns in the order they were asked for, so that nobody waits for a greedy one', async () => {
    const { loop, turns } = startReaders(5, 1)
    for (let round = 0; round < 10; round += 1) {
      loop.work(20)
      await settled()
    }
    expect(Math.min(...turns)).toBeGreaterThan(5)
    expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1)
  })

  it('counts what a reader does with its news after it was told', async () => {
    const loop = createLoop()
    const pace = createPace(loop.times)
    let told = 0
    const feed = createFeed({ take: () => 'news', onClose: () => undefined, pace })
    const reading = (async () => {
      while (!(await feed.iterator.next()).done) {
        told += 1
        await Promise.resolve()
        loop.work(5)
      }
    })()
    await settled()
    // A burst of 20 ms, and a quarter of the time that it takes.
    expect(told).toBeLessThanOrEqual(6)
    feed.close()
    await reading
  })
})
