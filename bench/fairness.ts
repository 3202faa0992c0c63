/**
 * Whether tenants get thread time by their weights: the share error of the product, with fair share and
 * without, in one run.
 *
 *   npx tsx bench/fairness.ts [--seconds 20] [--url postgresql://…]
 *
 * Three tenants keep jobs waiting all the time: one many short ones, one of double weight few long ones, one
 * of four threads each. The jobs sleep, so that the machine's cores decide nothing. Nobody says how long a
 * job runs; all are of one type, so that nothing of it can be learnt per tenant. Without --url it runs on the
 * embedded database. Prints one JSON document.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Job } from '../server/src/core/job.ts'
import { readConfig, startApp, type App } from './built-app.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, url: { type: 'string' } },
})
const seconds = Number(values.seconds)

interface Tenant {
  key: string
  weight: number
  threads: number
  /** of one job, ms, evenly between */
  runs: [min: number, max: number]
  /** jobs it keeps waiting or running */
  ahead: number
}
const tenants: Tenant[] = [
  { key: 'many short', weight: 1, threads: 1, runs: [5, 15], ahead: 100 },
  { key: 'few long', weight: 2, threads: 1, runs: [100, 300], ahead: 100 },
  { key: 'wide', weight: 1, threads: 4, runs: [20, 60], ahead: 20 },
]
const THREADS = 8
/** Until each has jobs running and the first charges have been corrected. */
const WARM_UP_MS = 3000
const TICK_MS = 5

const nap = `
import { defineJob } from 'heddle'
import { z } from 'zod'
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export default defineJob({
  type: 'nap',
  payload: z.object({ ms: z.number() }),
  parallel: { split: ({ ms }, width) => Array(width).fill(ms), run: sleep, merge: () => null },
})`

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The same numbers in both runs (Park and Miller's minimal standard generator, 1988). */
function random(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

async function measure(folder: string, fairShare: 'on' | 'off') {
  const app = await startApp(
    readConfig({
      API_PORT: '0',
      LOG_LEVEL: 'error',
      DATA_DIR: path.join(folder, fairShare),
      JOBS_DIR: path.join(folder, 'jobs'),
      WORKER_1_THREADS: String(THREADS),
      WORKER_2_THREADS: '0',
      FAIR_SHARE: fairShare,
      ...(values.url === undefined ? {} : { DATABASE_URL: values.url }),
    }),
  )
  for (const { key, weight } of tenants) await app.scheduler.fairShares.setWeight(key, weight)
  const used = new Map(tenants.map(({ key }) => [key, 0]))
  const active = new Map(tenants.map(({ key }) => [key, 0]))
  let measuring = false
  app.bus.subscribe('jobs', (jobs) => {
    for (const job of jobs) {
      if (job.state !== 'COMPLETED' || job.fairnessKey === null) continue
      add(active, job.fairnessKey, -1)
      if (measuring) add(used, job.fairnessKey, threadMs(job))
    }
  })
  const next = random(42)
  const until = performance.now() + WARM_UP_MS + seconds * 1000
  while (performance.now() < until) {
    measuring ||= until - performance.now() < seconds * 1000
    await topUp(app, active, next)
    await sleep(TICK_MS)
  }
  measuring = false
  while ([...active.values()].some((left) => left > 0)) await sleep(TICK_MS)
  await app.close()
  return report(used)
}

const add = (to: Map<string, number>, key: string, more: number): void => {
  to.set(key, (to.get(key) ?? 0) + more)
}
const threadMs = ({ width, executionTimeMs }: Job): number => (width ?? 1) * (executionTimeMs ?? 0)

/** Interleaved by tenant as it comes: whoever has fewer than it wants sends the rest. */
async function topUp(app: App, active: Map<string, number>, next: () => number): Promise<void> {
  const requests = tenants.flatMap(({ key, threads, runs: [min, max], ahead }) => {
    const missing = ahead - (active.get(key) ?? 0)
    active.set(key, ahead)
    return Array.from({ length: Math.max(0, missing) }, () => ({
      type: 'nap',
      fairnessKey: key,
      threadDemand: threads,
      payload: { ms: Math.round(min + next() * (max - min)) },
    }))
  })
  if (requests.length > 0) await app.scheduler.submit(requests)
}

function report(used: ReadonlyMap<string, number>) {
  const total = [...used.values()].reduce((sum, ms) => sum + ms, 0)
  const weights = tenants.reduce((sum, { weight }) => sum + weight, 0)
  const shares = tenants.map(({ key, weight }) => ({
    key,
    entitled: round(weight / weights),
    share: round((used.get(key) ?? 0) / total),
  }))
  return {
    shares,
    /** furthest from what a tenant is entitled to */
    shareError: round(Math.max(...shares.map(({ share, entitled }) => Math.abs(share - entitled)))),
    utilization: round(total / (THREADS * seconds * 1000)),
  }
}
const round = (part: number): number => Math.round(part * 1000) / 1000

const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-fairness-'))
const jobs = path.join(folder, 'jobs')
mkdirSync(jobs)
writeFileSync(path.join(jobs, 'nap.mjs'), nap)
const off = await measure(folder, 'off')
const on = await measure(folder, 'on')
rmSync(folder, { recursive: true, force: true })
process.stdout.write(`${JSON.stringify({ seconds, threads: THREADS, off, on }, null, 2)}\n`)
