/**
 * How many jobs a second the store inserts, claims and settles, on a PostgreSQL server of your own:
 *
 *   DATABASE_URL=postgresql://… node --import tsx bench/store.ts [jobs] [batch] [inFlight]
 *
 * Makes tables in that database and empties them. Without DATABASE_URL it measures the embedded
 * database. Prints JSON: medians of three rounds.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Settlement } from '../server/src/core/transition.ts'
import { claimJobs } from '../server/src/store/claim.ts'
import { insertJobs } from '../server/src/store/insert.ts'
import { registerNode } from '../server/src/store/nodes.ts'
import { openStore } from '../server/src/store/open.ts'
import { peekJobs } from '../server/src/store/peek.ts'
import { settleJobs } from '../server/src/store/settle.ts'
import { newJobs } from '../server/test/new-jobs.ts'
import { median } from './median.ts'

const [jobs = 50_000, batch = 500, inFlight = 4] = process.argv.slice(2).map(Number)
const ROUNDS = 3

const dataDir = mkdtempSync(path.join(os.tmpdir(), 'heddle-bench-'))
const store = await openStore({ url: process.env['DATABASE_URL'], dataDir })

/** Runs all batches, some at once; jobs per second. */
async function rate<T>(items: T[], work: (batch: T[]) => Promise<void>): Promise<number> {
  const batches: T[][] = []
  for (let from = 0; from < items.length; from += batch)
    batches.push(items.slice(from, from + batch))
  const startedAt = performance.now()
  const lane = async (): Promise<void> => {
    for (let next = batches.shift(); next; next = batches.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return items.length / ((performance.now() - startedAt) / 1000)
}

async function round(): Promise<Record<string, number>> {
  await store.pool.query('TRUNCATE job, job_history, node')
  const nodeId = randomUUID()
  await registerNode(store, { id: nodeId, name: 'bench', roles: [], workers: [], maxThreads: 8 })
  const input = newJobs(jobs)
  const insert = await rate(input, async (some) => {
    await insertJobs(store, some, { queueLimit: jobs * 10 })
  })

  const settlements: Settlement[] = []
  let peekMs = 0
  const startedAt = performance.now()
  for (;;) {
    const peekedAt = performance.now()
    const rows = await peekJobs(store, { limit: 1000, maxGang: 8, clusterMaxGang: 8 })
    peekMs = Math.max(peekMs, performance.now() - peekedAt)
    if (rows.length === 0) break
    await rate(rows, async (some) => {
      const claimed = await claimJobs(
        store,
        nodeId,
        some.map((job) => ({ job, workerName: 'w', width: 1, widthReason: 'AS_DEMANDED' })),
      )
      for (const { job } of claimed) {
        settlements.push({
          job,
          id: job.id,
          attempt: job.attempt,
          startedAt: job.startedAt ?? 0,
          finishedAt: store.clock.now(),
          to: 'COMPLETED',
          result: '55',
        })
      }
    })
  }
  const claim = settlements.length / ((performance.now() - startedAt) / 1000)
  const settle = await rate(settlements, async (some) => {
    const { refused } = await settleJobs(store, nodeId, some)
    if (refused.length > 0) throw new Error('a settlement was refused')
  })
  return { insert, claim, settle, slowestPeekMs: peekMs }
}

try {
  const rounds: Record<string, number>[] = []
  for (let i = 0; i < ROUNDS; i += 1) rounds.push(await round())
  const { rows } = await store.pool.query<{ version: string }>('SELECT version()')
  const result = {
    database: rows[0]?.version.split(' ').slice(0, 2).join(' '),
    kind: store.kind,
    jobs,
    batch,
    inFlight,
    cores: os.cpus().length,
    jobsPerSecond: Object.fromEntries(
      ['insert', 'claim', 'settle'].map((key) => [
        key,
        Math.round(median(rounds.map((one) => one[key] ?? 0))),
      ]),
    ),
    slowestPeekMs: Math.round(median(rounds.map((one) => one['slowestPeekMs'] ?? 0)) * 10) / 10,
  }
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
} finally {
  await store.close()
  rmSync(dataDir, { recursive: true })
}
