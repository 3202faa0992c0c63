import { describe, expect, it } from 'vitest'
import type { Job } from '../core/job.ts'
import { createRecalls } from './recalls.ts'
import { createRunning } from './running.ts'

const job = (n: number): Job => ({ id: `j${n}`, rank: n, attempt: 1 }) as Job

/** A thread that is at work on job 0, with jobs 1 and 2 given to it as what comes next, and those called back. */
function setUp() {
  const running = createRunning()
  const settling = new Set<string>()
  const recalls = createRecalls({ running, isSettling: (id) => settling.has(id) })
  const slot = running.reserve({
    ...{ workerName: 'worker-1', width: 1, first: job(0), beganAt: 0, endsAt: 10, followMs: 0 },
  })
  running.add(slot, { leaseId: 'lease', shortClaim: null, jobs: [job(0)] })
  running.await(slot, 20)
  running.add(slot, { leaseId: 'lease', shortClaim: null, jobs: [job(1), job(2)] })
  recalls.add([job(2), job(1)])
  const best = (): string | undefined => recalls.best()?.id
  const end = (id: string): void => running.remove(running.get(id)!, 5)
  return { settling, recalls, best, end }
}

describe('jobs that were called back', () => {
  it('are on their way from the call until the table has them, the best of them first', () => {
    const { settling, recalls, best, end } = setUp()
    expect(best()).toBe('j1')
    for (const id of ['j1', 'j2']) {
      settling.add(id)
      end(id)
    }
    expect(best()).toBe('j1')
    expect(recalls.settled('j1')).toBe(true)
    expect(best()).toBe('j2')
    expect(recalls.settled('j2')).toBe(true)
    expect(best()).toBeUndefined()
    expect(recalls.settled('j2')).toBe(false)
  })

  it('let start what ranks before them and nothing behind, however often that is asked', () => {
    const { recalls, end } = setUp()
    const queue = [0.5, 1.5, 3].map(job)
    const startable = recalls.startable(queue)
    for (let walk = 0; walk < 2; walk += 1)
      expect([...startable].map(({ id }) => id)).toEqual(['j0.5'])
    end('j0')
    expect([...recalls.startable(queue)]).toEqual(queue)
  })

  it('are not waited for where their thread had begun with them when the call came', () => {
    const { best, end } = setUp()
    end('j0')
    expect(best()).toBeUndefined()
  })

  it('are not waited for once nobody here knows of them: their lease was lost on the way', () => {
    const { settling, best, end } = setUp()
    settling.add('j1')
    for (const id of ['j1', 'j2']) end(id)
    expect(best()).toBe('j1')
    settling.clear()
    expect(best()).toBeUndefined()
  })
})
