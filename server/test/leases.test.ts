import fc from 'fast-check'
import { expect, test } from 'vitest'
import { emptyTables } from './databases.ts'
import { clusterSteps, createModel, nodeSteps } from './lease-model.ts'
import { onEveryDatabase } from './store-tools.ts'

const weighted = <T>(steps: readonly T[], weights: number[]): fc.Arbitrary<T> =>
  fc.oneof(...steps.map((step, i) => ({ arbitrary: fc.constant(step), weight: weights[i] ?? 1 })))
// Weighed so that leases are often lost and claimed by the other node while the first still means to settle.
const script = fc.array(weighted(nodeSteps, [6, 1, 2, 1, 2, 1, 2, 3]), {
  minLength: 6,
  maxLength: 20,
})
const clusterScript = fc.array(weighted(clusterSteps, [5, 2, 1]), { minLength: 5, maxLength: 15 })

onEveryDatabase('leases', (t) => {
  test('in every order of steps of two nodes and a rescuer each job has one outcome', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), script, script, clusterScript, async (s, one, two, rest) => {
        await emptyTables(t.store)
        const model = await createModel(t.store, 2, true)
        const actors = [await model.node(), await model.node()]
        const steps = (run: () => Promise<void>, label: string) => ({ label, builder: run })
        const all = [
          s.scheduleSequence(one.map((step) => steps(() => actors[0]!.step(step), `one ${step}`))),
          s.scheduleSequence(two.map((step) => steps(() => actors[1]!.step(step), `two ${step}`))),
          s.scheduleSequence(rest.map((step) => steps(() => model.step(step), step))),
        ]
        await s.waitFor(Promise.all(all.map(({ task }) => task)))
        for (const { task } of all) expect(await task).toMatchObject({ done: true, faulty: false })
        await model.finish()
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  test('when nodes and rescuers act at the same time each job has one outcome', async () => {
    await fc.assert(
      fc.asyncProperty(script, script, script, clusterScript, async (one, two, three, rest) => {
        await emptyTables(t.store)
        const model = await createModel(t.store, 6, false)
        const actors = [await model.node(), await model.node(), await model.node()]
        await Promise.all([
          ...[one, two, three].map(async (steps, i) => {
            for (const step of steps) await actors[i]!.step(step)
          }),
          ...[rest, rest].map(async (steps) => {
            for (const step of steps) await model.step(step)
          }),
        ])
        await model.finish()
      }),
      { numRuns: 40 },
    )
  }, 60_000)
})
