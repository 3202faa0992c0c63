/** The cache that nodes share, with lives of jobs made at random and writes of one node that come after the other's. */
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { connectRedis } from '../src/bus/connect.ts'
import { isFinal, type Job } from '../src/core/job.ts'
import { createRedisCache } from '../src/store/cache/redis.ts'
import { newJob } from './new-jobs.ts'
import { dropPrefix, newPrefix } from './redis.ts'
import { haveRedis, redisUrl } from './services.ts'

const prefix = newPrefix()
const withRedis = await haveRedis()
const caches = withRedis
  ? [1, 2].map(() => createRedisCache(connectRedis(redisUrl, 'subscriber'), prefix))
  : []
afterAll(async () => {
  await Promise.all(caches.map((cache) => cache.close()))
  if (withRedis) await dropPrefix(prefix)
})

/** Longer than it takes until a job that waits or runs is written. */
const WRITTEN_MS = 600
const STEPS = 9
/** Before these all is left alone for a while, so that what waits and what runs is written. */
const PAUSES = [3, 6]

interface Step {
  choice: number
  node: number
  /** its write comes after the next one of the other node */
  late: boolean
}
const lives = fc.array(
  fc.array(fc.record({ choice: fc.nat(3), node: fc.nat(1), late: fc.boolean() }), {
    minLength: STEPS,
    maxLength: STEPS,
  }),
  { minLength: 300, maxLength: 300 },
)

/** Where a job may go; a running one is changed by its own node alone. */
function next(job: Job, choice: number): Partial<Job> {
  const waits = { progress: null, state: 'QUEUED' } as const
  if (isFinal(job.state)) return waits
  if (job.state === 'SCHEDULED') return choice === 0 ? { state: 'CANCELLED' } : waits
  if (job.state === 'QUEUED') {
    return choice === 0 ? { state: 'CANCELLED' } : { state: 'RUNNING', attempt: job.attempt + 1 }
  }
  if (choice === 0) return { progress: (job.progress ?? 0) + 0.1 }
  if (choice === 1) return { progress: null, state: 'SCHEDULED' }
  if (choice === 2) return { ...waits, attempt: job.attempt - 1 }
  return { progress: null, state: 'COMPLETED' }
}

/** One job, and what its nodes have not written yet. */
function createLife() {
  let job = newJob().job
  let runsAt = 0
  const held: (() => Promise<void> | undefined)[][] = [[], []]
  const write = async (node: number): Promise<void> => {
    for (const write of held[node]!.splice(0)) await write()
  }
  return {
    current: () => job,
    isLate: () => held.flat().length > 0,
    submit: (node: number) => caches[node]!.add([job]),
    async step({ choice, node: given, late }: Step) {
      const node = job.state === 'RUNNING' ? runsAt : given
      runsAt = node
      const now = (job = { ...job, ...next(job, choice) })
      held[node]!.push(() => caches[node]!.put([now]))
      if (late) return
      await write(node)
      await write(1 - node)
    },
    async end() {
      await write(0)
      await write(1)
    },
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, WRITTEN_MS))

test.runIf(withRedis)(
  'it tells no state that a job has left, whatever became of the job and whichever write came first',
  async () => {
    let known = 0
    const expectTruth = async (life: ReturnType<typeof createLife>, node: number) => {
      const told = await caches[node]!.get(life.current().id)
      if (told) expect(told).toEqual(life.current())
      if (told) known += 1
    }
    await fc.assert(
      fc.asyncProperty(lives, async (all) => {
        const jobs = all.map((steps) => ({ steps, life: createLife() }))
        for (const { steps, life } of jobs) life.submit(steps[0]!.node)
        for (let slot = 0; slot < STEPS; slot += 1) {
          if (PAUSES.includes(slot)) await pause()
          await Promise.all(
            jobs.map(async ({ steps, life }) => {
              const step = steps[slot]!
              await life.step(step)
              if (!life.isLate()) await expectTruth(life, 1 - step.node)
            }),
          )
        }
        for (const { life } of jobs) await life.end()
        for (const { life } of jobs) await expectTruth(life, 0)
        await pause()
        for (const { life } of jobs) await expectTruth(life, 1)
      }),
      { numRuns: 3, endOnFailure: true },
    )
    expect(known).toBeGreaterThan(100)
  },
  60_000,
)
