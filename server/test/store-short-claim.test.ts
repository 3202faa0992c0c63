import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Job } from '../src/core/job.ts'
import { settle, type Completion } from '../src/core/transition.ts'
import { requestCancel } from '../src/store/cancel.ts'
import { claimJobs } from '../src/store/claim.ts'
import { findJobs } from '../src/store/find.ts'
import { insertJobs } from '../src/store/insert.ts'
import { rollUpMetrics } from '../src/store/metrics.ts'
import { registerNode, removeNode } from '../src/store/nodes.ts'
import type { Store } from '../src/store/open.ts'
import { peekJobs } from '../src/store/peek.ts'
import { settleJobs } from '../src/store/settle.ts'
import { claimShortly } from '../src/store/short-claim.ts'
import { emptyTables, openServerDatabase } from './databases.ts'
import { newJobs } from './new-jobs.ts'
import { havePostgres } from './services.ts'
import { claimOf, settlementOf } from './store-tools.ts'

const LEASE_MS = 10_000
const unavailable = { code: 'STORE_UNAVAILABLE' }

describe.runIf(await havePostgres())('jobs of a short claim', () => {
  let database: Awaited<ReturnType<typeof openServerDatabase>>
  let store: Store
  let nodeId: string
  beforeAll(async () => {
    database = await openServerDatabase()
    store = database.store
  })
  afterAll(() => database.drop())
  beforeEach(async () => {
    await emptyTables(store)
    nodeId = randomUUID()
    await registerNode(store, { id: nodeId, name: 'n', roles: [], workers: [], maxThreads: 2 })
  })

  /** in the order of the queue */
  const queued = async (count: number): Promise<Job[]> => {
    await insertJobs(store, newJobs(count), { queueLimit: 1000 })
    return peekJobs(store, { limit: count, maxGang: 1, clusterMaxGang: 1 })
  }
  const take = (jobs: readonly Job[], leaseMs = LEASE_MS) =>
    claimShortly(store, nodeId, jobs.map(claimOf), leaseMs)
  const completion = (job: Job, startedAt = Date.now()): Completion => {
    const at = { startedAt, finishedAt: startedAt + 1, now: Date.now(), jitter: 0 }
    return settle(job, { kind: 'completed', result: '{"sum":3}' }, at) as Completion
  }
  const find = async (jobs: readonly Job[]): Promise<(Job | undefined)[]> => {
    const found = await findJobs(
      store,
      jobs.map(({ id }) => id),
    )
    return jobs.map(({ id }) => found.get(id))
  }

  test('stand in the history as those of a claim that was written', async () => {
    const jobs = await queued(4)
    const { claimed, open } = await take(jobs.slice(0, 2))
    const short = await open.end(
      claimed.map(({ job }) => completion(job)),
      [],
    )
    const written = await claimJobs(store, nodeId, jobs.slice(2).map(claimOf))
    await settleJobs(
      store,
      nodeId,
      written.map(({ job }) => completion(job)),
    )

    const [first, , third] = await find(jobs)
    const same = { attempt: 1, nodeId, workerName: 'worker-1', width: 1, state: 'COMPLETED' }
    expect(first).toMatchObject({ ...same, widthReason: 'AS_DEMANDED', attempts: [{ number: 1 }] })
    expect(Object.keys(first!)).toEqual(Object.keys(third!))
    expect(third).toMatchObject(same)
    expect(first!.executionTimeMs).toBeGreaterThanOrEqual(1)
    expect(short.completed.find(({ id }) => id === first!.id)).toEqual(first)
  })

  test('come with their payloads, in the order they were asked for', async () => {
    const jobs = (await queued(3)).toReversed()
    const { claimed, open } = await take(jobs)
    expect(claimed.map(({ job }) => job.id)).toEqual(jobs.map(({ id }) => id))
    expect(claimed[0]).toMatchObject({
      job: { state: 'RUNNING', attempt: 1, nodeId, workerName: 'worker-1' },
      payload: '{"a":1,"b":2}',
    })
    open.drop()
  })

  test('are had by nobody else before it has ended, and by nobody twice', async () => {
    const jobs = await queued(3)
    const first = await take(jobs.slice(0, 2))
    const second = await take(jobs)
    expect(second.claimed.map(({ job }) => job.id)).toEqual([jobs[2]!.id])
    second.open.drop()

    const other = claimJobs(store, nodeId, jobs.slice(0, 2).map(claimOf))
    await first.open.end(
      first.claimed.map(({ job }) => completion(job)),
      [],
    )
    expect(await other).toEqual([])
  })

  test('run under the lease from its end on where they have not completed', async () => {
    const jobs = await queued(3)
    const { claimed, open } = await take(jobs)
    const { completed, claimed: left } = await open.end(
      [completion(claimed[0]!.job)],
      jobs.slice(1).map(claimOf),
    )
    expect(completed.map(({ id }) => id)).toEqual([jobs[0]!.id])
    expect(new Set(left.map(({ id }) => id))).toEqual(new Set(jobs.slice(1).map(({ id }) => id)))
    expect(await find(jobs)).toMatchObject([
      { state: 'COMPLETED' },
      { state: 'RUNNING', attempt: 1, nodeId },
      { state: 'RUNNING', attempt: 1, nodeId },
    ])
    const { settled } = await settleJobs(
      store,
      nodeId,
      claimed.slice(1).map(({ job }) => settlementOf(job)),
    )
    expect(settled).toHaveLength(2)
  })

  test('are counted in their minute where they are stored long after they ended', async () => {
    const minute = (Math.floor(store.clock.now() / 60_000) - 5) * 60_000
    for (let rounds = 1; rounds <= 2; rounds += 1) {
      const { claimed, open } = await take(await queued(1))
      await open.end([completion(claimed[0]!.job, minute)], [])
      await rollUpMetrics(store)
      const { rows } = await store.pool.query('SELECT completed FROM metric_minute')
      expect(rows).toEqual([{ completed: rounds }])
    }
  })

  test('go to others where the lease is gone, but for those that completed under its lock', async () => {
    const jobs = await queued(2)
    const { claimed, open } = await take(jobs)
    await removeNode(store, nodeId)
    const ended = await open.end([completion(claimed[0]!.job)], [claimOf(jobs[1]!)])
    expect(ended.claimed).toEqual([])
    expect(await find(jobs)).toMatchObject([
      { state: 'COMPLETED', attempt: 1 },
      { state: 'QUEUED', attempt: 0, nodeId: null },
    ])
  })

  test('are cancelled when it has ended, and not where they have by then', async () => {
    const jobs = await queued(2)
    const { claimed, open } = await take(jobs)
    const cancelled = requestCancel(
      store,
      jobs.map(({ id }) => id),
    )
    await vi.waitFor(async () => {
      const { rowCount } = await store.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
      )
      expect(rowCount).toBe(1)
    })
    await open.end([completion(claimed[0]!.job)], [claimOf(jobs[1]!)])
    expect(await cancelled).toMatchObject({
      finished: [{ id: jobs[0]!.id, state: 'COMPLETED' }],
      stopping: [{ id: jobs[1]!.id, state: 'RUNNING', cancelRequested: true }],
    })
  })

  test.each(['dropped', 'broken'])(
    'wait in the queue again at no attempt where it is %s',
    async (how) => {
      const jobs = await queued(2)
      const { claimed, open } = await take(jobs)
      if (how === 'dropped') open.drop()
      else {
        await store.pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND state = 'idle in transaction'`,
        )
        const end = open.end([completion(claimed[0]!.job)], [claimOf(jobs[1]!)])
        await expect(end).rejects.toMatchObject(unavailable)
      }
      expect(await find(jobs)).toMatchObject(Array(2).fill({ state: 'QUEUED', attempt: 0 }))
      await vi.waitFor(async () => {
        const again = await take(jobs)
        again.open.drop()
        expect(again.claimed).toHaveLength(2)
      })
    },
  )

  test('are free after the time of a lease where the node does nothing any more', async () => {
    const jobs = await queued(1)
    const { claimed, open } = await take(jobs, 200)
    const began = performance.now()
    expect(await claimJobs(store, nodeId, jobs.map(claimOf))).toHaveLength(1)
    expect(performance.now() - began).toBeGreaterThan(150)
    const late = open.end([completion(claimed[0]!.job)], [])
    await expect(late).rejects.toMatchObject(unavailable)
    expect(await find(jobs)).toMatchObject([{ state: 'RUNNING', attempt: 1 }])
  })
})
