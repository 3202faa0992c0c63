/** The turns that the database gives are those of `core/fair-share.ts`. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { getsTurn, takeTurn, virtualTime, type Account } from '../src/core/fair-share.ts'
import { setFairWeight } from '../src/store/fair-share.ts'
import { jobOf, submit, turnsOf } from './fair-jobs.ts'
import { onEveryDatabase } from './store-tools.ts'

const sum = (list: number[]): number => list.reduce((total, each) => total + each, 0)

onEveryDatabase('turns of fair share', (t) => {
  const job = fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    costMs: fc.integer({ min: 1, max: 400 }),
    priority: fc.integer({ min: -1, max: 1 }),
  })
  const load = fc.record({
    weights: fc.array(fc.double({ min: 0.5, max: 8, noNaN: true }), { minLength: 3, maxLength: 3 }),
    running: fc.array(job, { maxLength: 3 }),
    batches: fc.array(fc.array(job, { minLength: 1, maxLength: 40 }), {
      minLength: 1,
      maxLength: 3,
    }),
    agingMs: fc.constantFrom(null, 1000),
  })

  test('jobs get the turns that the core gives them, whatever the batches', async () => {
    await fc.assert(
      fc.asyncProperty(load, async ({ weights, running, batches, agingMs }) => {
        await t.store.pool.query('TRUNCATE job, fair_share, node')
        const accounts = new Map<string, Account>(
          ['a', 'b', 'c'].map((name, i) => [name, { weight: weights[i]!, turn: 0, owed: 0 }]),
        )
        for (const [name, { weight }] of accounts) await setFairWeight(t.store, name, weight)
        /** the core's: every job, with its turn once it has one */
        const jobs: { id: string; key: string; costMs: number; priority: number; turn?: number }[] =
          []
        let started = new Set<string>()

        const giveHere = (): void => {
          const turns = (priority: number, runs: boolean): number[] =>
            jobs
              .filter((each) => started.has(each.id) === runs)
              .filter((each) => agingMs !== null || each.priority === priority)
              .toSorted(
                (x, y) =>
                  x.turn! - x.priority * (agingMs ?? 0) - y.turn! + y.priority * (agingMs ?? 0),
              )
              .flatMap(({ turn }) => turn ?? [])
          const latest = Math.max(...[...accounts.values()].map(({ turn }) => turn))
          const now = t.store.clock.now()
          const times = new Map(
            [-1, 0, 1].map((priority) => {
              const standing = {
                running: turns(priority, true),
                next: turns(priority, false)[0] ?? null,
              }
              return [priority, virtualTime({ ...standing, latest, now }, agingMs)]
            }),
          )
          const waiting = jobs.filter(({ id }) => !started.has(id))
          for (const [name, account] of accounts) {
            const own = waiting.filter(({ key }) => key === name)
            const having = own.filter(({ turn }) => turn !== undefined)
            const ahead = { jobs: having.length, costMs: sum(having.map(({ costMs }) => costMs)) }
            const parked = own
              .filter(({ turn }) => turn === undefined)
              .toSorted((x, y) => y.priority - x.priority || (x.id < y.id ? -1 : 1))
            for (const each of parked) {
              if (!getsTurn(ahead, each.costMs)) break
              each.turn = takeTurn(account, times.get(each.priority)!, each.costMs)
              ahead.jobs += 1
              ahead.costMs += each.costMs
            }
          }
        }
        const submitBatch = async (batch: typeof running): Promise<void> => {
          const made = batch.map(({ key, costMs, priority }) =>
            jobOf(key, costMs, { priority, agingMs, createdAt: 1000 }),
          )
          made.forEach((each, i) => jobs.push({ id: each.job.id, ...batch[i]! }))
          giveHere()
          await submit(t, made, agingMs)
          const given = await turnsOf(t)
          for (const { id, turn } of jobs) {
            // With ageing the database's own clock, a little later than ours, is the least.
            if (turn === undefined) expect(given.get(id)).toBeNull()
            else
              expect(Math.abs(given.get(id)! - turn)).toBeLessThan(agingMs === null ? 0.001 : 2000)
          }
        }

        if (running.length > 0) {
          await submitBatch(running)
          const nodeId = await t.node()
          await t.claim(nodeId, ...jobs.map(({ id }) => id))
          started = new Set(jobs.map(({ id }) => id))
        }
        for (const batch of batches) await submitBatch(batch)
      }),
      { numRuns: 25 },
    )
  })
})
