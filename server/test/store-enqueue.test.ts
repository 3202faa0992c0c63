import { expect, test, vi } from 'vitest'
import { listenWake } from '../src/store/listen.ts'
import { peekQueued } from '../src/store/peek.ts'
import { registerTypes } from '../src/store/register-types.ts'
import { sizeClass } from '../src/core/estimate.ts'
import { newJob } from './new-jobs.ts'
import { onEveryDatabase, type StoreTools } from './store-tools.ts'

const strict = { agingMs: null, fairShare: false }
const backoff = { baseMs: 10, maxMs: 100 }
const types = [
  { type: 'add_numbers', parallel: false, timeoutMs: 300_000, maxAttempts: 1, backoff },
  { type: 'large_array_sum', parallel: true, timeoutMs: null, maxAttempts: 4, backoff },
]

/** Calls the function with these arguments, as any client of the database may. */
async function enqueue(t: StoreTools, args: string): Promise<string> {
  const { rows } = await t.store.pool.query<{ id: string }>(`SELECT heddle_enqueue(${args}) AS id`)
  return rows[0]!.id
}

onEveryDatabase('enqueueing by SQL', (t) => {
  test("a job has its type's defaults, and fields that a node would have given it", async () => {
    await registerTypes(t.store, types, strict)
    const id = await enqueue(
      t,
      `'large_array_sum', '{"numbers":[1,"\\u0000"]}', priority => 5, thread_demand => 4`,
    )
    const now = t.store.clock.now()
    const given = newJob({ createdAt: now }).job
    expect(await t.read.job(id)).toEqual({
      ...given,
      id,
      name: 'large_array_sum',
      type: 'large_array_sum',
      priority: 5,
      rank: -5,
      threadDemand: 4,
      gang: 4,
      sizeClass: sizeClass('{"numbers":[1,"\\u0000"]}'.length),
      maxAttempts: 4,
      backoff,
      createdAt: expect.closeTo(now, -3),
      runAt: expect.closeTo(now, -3),
    })
    expect((await t.read.documents([id])).get(id)?.payload).toBe('{"numbers":[1,"\\u0000"]}')
    // Version 7, variant 10: sorts with the ids that nodes give.
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/)
    expect(Math.abs(parseInt(id.replace('-', '').slice(0, 12), 16) - now)).toBeLessThan(5000)
  })

  test('what is given overrides the defaults; a type with no parallel form needs one thread', async () => {
    await registerTypes(t.store, types, { agingMs: 1000, fairShare: false })
    const id = await enqueue(
      t,
      `'add_numbers', '{}', 'nightly', 2, 8, now() + interval '1 hour', 3, 50`,
    )
    const job = await t.read.job(id)
    expect(job).toMatchObject({
      name: 'nightly',
      threadDemand: 8,
      gang: 1,
      state: 'SCHEDULED',
      maxAttempts: 3,
      timeoutMs: 50,
    })
    expect(job!.rank).toBeCloseTo(job!.createdAt - 2000, 2)
    expect(job!.runAt - job!.createdAt).toBeGreaterThan(3_590_000)
  })

  test('a job may say how long it will run, and on how many threads it may', async () => {
    await registerTypes(t.store, types, strict)
    const threads = 'thread_demand => 4, min_threads => 2, max_threads => 8'
    const parallel = await enqueue(t, `'large_array_sum', '{}', expected_ms => 50, ${threads}`)
    expect(await t.read.job(parallel)).toMatchObject({
      expectedMs: 50,
      threadDemand: 4,
      gang: 2,
      maxThreads: 8,
    })
    const serial = await enqueue(t, `'add_numbers', '{}', ${threads}`)
    expect(await t.read.job(serial)).toMatchObject({ threadDemand: 4, gang: 1, maxThreads: null })
    await expect(
      enqueue(t, `'large_array_sum', '{}', thread_demand => 4, min_threads => 5`),
    ).rejects.toThrow('between min_threads and max_threads')
  })

  test('the job exists if and only if the transaction commits', async () => {
    await registerTypes(t.store, types, strict)
    const client = await t.store.pool.connect()
    await client.query('BEGIN')
    await client.query(`SELECT heddle_enqueue('add_numbers', '{}')`)
    await client.query('ROLLBACK')
    client.release()
    expect(await peekQueued(t.store, { limit: 9, maxGang: 1, clusterMaxGang: 1 })).toEqual([])
  })

  test('the same key gives the first job', async () => {
    await registerTypes(t.store, types, strict)
    const id = await enqueue(t, `'add_numbers', '{}', idempotency_key => 'k'`)
    expect(await enqueue(t, `'add_numbers', '{}', idempotency_key => 'k'`)).toBe(id)
    expect(await t.insert(newJob({ key: 'k' }))).toMatchObject([{ created: false, job: { id } }])
  })

  test.each([
    [`'nope', '{}'`, 'Unknown job type "nope"'],
    [`'add_numbers', NULL`, 'payload must not be null'],
    [`'add_numbers', 'x'`, 'invalid input syntax for type json'],
    [`'add_numbers', '{}', priority => 1001`, 'priority must be'],
    [`'add_numbers', '{}', thread_demand => 0`, 'thread_demand must be'],
    [`'add_numbers', '{}', max_attempts => 101`, 'max_attempts must be'],
    [`'add_numbers', '{}', timeout_ms => 0`, 'timeout_ms must be'],
    [`'add_numbers', '{}', repeat('x', 201)`, 'name must'],
  ])('%s is refused', async (args, message) => {
    await registerTypes(t.store, types, strict)
    await expect(enqueue(t, args)).rejects.toThrow(message)
  })

  test('an unknown type is answered with the known ones', async () => {
    await registerTypes(t.store, types, strict)
    const hint = 'Known types: add_numbers, large_array_sum'
    await expect(enqueue(t, `'nope', '{}'`)).rejects.toMatchObject({ hint })
  })

  test('the nodes wake when it commits, until they listen no more', async () => {
    await registerTypes(t.store, types, strict)
    const woken = vi.fn()
    const stop = await listenWake(t.store, woken)
    await enqueue(t, `'add_numbers', '{}'`)
    await vi.waitFor(() => expect(woken).toHaveBeenCalledTimes(1))
    await stop()
    await enqueue(t, `'add_numbers', '{}'`)
    await t.store.clock.sync()
    expect(woken).toHaveBeenCalledTimes(1)
  })
})
