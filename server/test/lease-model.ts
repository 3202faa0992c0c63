/**
 * A cluster in miniature for property tests: nodes that claim, beat and settle by the real statements of
 * the store, one that rescues, and a record of who was told what. The rules are checked as it happens:
 * a settlement is taken if and only if nobody has taken the lease away before.
 */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { isFinal, type Job } from '../src/core/job.ts'
import { requestCancel } from '../src/store/cancel.ts'
import { claimJobs } from '../src/store/claim.ts'
import { insertJobs } from '../src/store/insert.ts'
import { heartbeat, registerNode } from '../src/store/nodes.ts'
import type { Store } from '../src/store/open.ts'
import { peekJobs } from '../src/store/peek.ts'
import { promoteDue } from '../src/store/promote.ts'
import { rescueLost } from '../src/store/rescue.ts'
import { settleJobs } from '../src/store/settle.ts'
import { newJobs } from './new-jobs.ts'
import { claimOf, settlementOf, type Outcome } from './store-tools.ts'

const LEASE_MS = 60_000
const error = { name: 'NodeLost', message: 'gone', code: 'NODE_LOST' }

export const nodeSteps = [
  'claim',
  'beat',
  'complete',
  'fail',
  'retry',
  'give back',
  /** the last settlement once more, as after an answer that was lost */
  'settle again',
  'fall silent',
] as const
export type Step = (typeof nodeSteps)[number]
export const clusterSteps = ['rescue', 'promote', 'cancel'] as const
export type ClusterStep = (typeof clusterSteps)[number]

export interface ModelNode {
  step(step: Step): Promise<void>
}

export interface Model {
  node(): Promise<ModelNode>
  step(step: ClusterStep): Promise<void>
  /** ends whatever has not ended, and checks that every job has exactly one outcome: the one that was told */
  finish(): Promise<void>
}

export async function createModel(store: Store, jobCount: number, strict: boolean): Promise<Model> {
  const jobs = newJobs(jobCount, { maxAttempts: 3 })
  await insertJobs(store, jobs, { queueLimit: 1e9 })
  /** id → the states that somebody was told it ended in */
  const outcomes = new Map<string, string[]>()
  /** leases that were taken away: `job:node:attempt` */
  const revoked = new Set<string>()
  const leaseOf = (job: Pick<Job, 'id' | 'attempt'>, nodeId: string): string =>
    `${job.id}:${nodeId}:${job.attempt}`

  const told = (changed: Job[]): void => {
    for (const job of changed) {
      if (isFinal(job.state)) outcomes.set(job.id, [...(outcomes.get(job.id) ?? []), job.state])
    }
  }

  async function step(kind: ClusterStep): Promise<void> {
    if (kind === 'promote') await promoteDue(store)
    else if (kind === 'cancel') {
      const { cancelled } = await requestCancel(store, [jobs[0]!.job.id])
      told(cancelled)
    } else {
      const { requeued, failed, cancelled } = await rescueLost(store, { leaseMs: LEASE_MS, error })
      for (const job of [...requeued, ...failed, ...cancelled]) {
        const lost = job.attempts.at(-1)!
        revoked.add(leaseOf({ id: job.id, attempt: lost.number }, lost.nodeId))
      }
      told([...failed, ...cancelled])
    }
  }

  async function node(): Promise<ModelNode> {
    let id = randomUUID() as string
    const register = () =>
      registerNode(store, { id, name: 'n', roles: [], workers: [], maxThreads: 1 })
    /** what this node believes to hold; it keeps believing after it was declared dead */
    const held: { job: Job; nodeId: string }[] = []
    await register()

    let last: { job: Job; nodeId: string; outcome: Outcome } | null = null
    const settle = async (outcome: Outcome): Promise<void> => {
      const lease = held.shift()
      if (!lease) return
      const { job, nodeId } = lease
      const wasRevoked = revoked.has(leaseOf(job, nodeId))
      const { settled, refused } = await settleJobs(store, nodeId, [settlementOf(job, outcome)])
      if (wasRevoked) expect(refused).toEqual([job.id])
      // With steps one after another the opposite holds as well.
      else if (strict) expect(settled).toHaveLength(1)
      told(settled)
      last = { ...lease, outcome }
    }

    return {
      async step(kind) {
        switch (kind) {
          case 'claim': {
            const queued = await peekJobs(store, { limit: 2, maxGang: 1, clusterMaxGang: 1 })
            const claims = queued.map(claimOf)
            for (const { job } of await claimJobs(store, id, claims)) held.push({ job, nodeId: id })
            return
          }
          case 'beat': {
            if ((await heartbeat(store, { id, workers: [] })).alive) return
            id = randomUUID()
            return register()
          }
          case 'complete':
            return settle({ to: 'COMPLETED', result: '1' })
          case 'fail':
            return settle({ to: 'FAILED', error })
          case 'retry':
            return settle({ to: 'SCHEDULED', runAt: 0 })
          case 'give back':
            return settle({ to: 'QUEUED', attemptsMade: (held[0]?.job.attempt ?? 1) - 1 })
          case 'settle again': {
            const leaseAgain = last && leaseOf(last.job, last.nodeId)
            // What was given back may be claimed again under the same number.
            const holds = held.some(({ job, nodeId }) => leaseOf(job, nodeId) === leaseAgain)
            if (!last || holds) return
            const again = [settlementOf(last.job, last.outcome)]
            expect((await settleJobs(store, last.nodeId, again)).settled).toEqual([])
            return
          }
          case 'fall silent':
            await store.pool.query(
              `UPDATE node SET heartbeat_at = heartbeat_at - interval '${LEASE_MS * 2} ms' WHERE id = $1`,
              [id],
            )
        }
      },
    }
  }

  async function finish(): Promise<void> {
    // No node is heard of any more; the last one does what is left.
    await store.pool.query(`UPDATE node SET heartbeat_at = '2000-01-01'`)
    await step('rescue')
    const last = await node()
    for (;;) {
      await step('promote')
      await last.step('claim')
      const { rowCount } = await store.pool.query('SELECT FROM job')
      if (rowCount === 0) break
      await last.step('complete')
    }
    const { rows } = await store.pool.query<{ id: string; state: string }>(
      'SELECT id, state FROM job_history',
    )
    expect(new Map(rows.map(({ id, state }) => [id, [state]]))).toEqual(outcomes)
    expect(rows.map(({ id }) => id).sort()).toEqual(jobs.map(({ job }) => job.id).sort())
  }

  return { node, step, finish }
}
