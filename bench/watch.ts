/**
 * What those who watch cost the queue: tiny jobs drained while nobody watches and while pages of the dashboard are
 * open, by turns on one node:
 *
 *   npx tsx bench/watch.ts --url postgresql://… [--watchers 1,10,100] [--jobs 60000] [--rounds 3]
 *     [--field jobsUpdated]
 *
 * A page is a WebSocket that subscribes to what the table of jobs does; `--field jobUpdated` is told each change by
 * itself. The pages are in a process of their own, which reads all it gets. Prints JSON: for each number of pages the
 * median of the rounds, as a ratio to the drain with none right before and after.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { openStore } from '../server/src/store/open.ts'
import { readConfig, startApp, type App } from './built-app.ts'
import { fillQueue } from './fill.ts'
import { median } from './median.ts'
import { createOwnDatabase } from './own-database.ts'
import type { Told, Watch } from './watchers.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    watchers: { type: 'string', default: '1,10,100' },
    jobs: { type: 'string', default: '60000' },
    rounds: { type: 'string', default: '3' },
    field: { type: 'string', default: 'jobsUpdated' },
  },
})
if (!values.url) throw new Error('usage: tsx bench/watch.ts --url postgresql://…')
const counts = values.watchers.split(',').map(Number)
const rounds = Number(values.rounds)
const jobs = Number(values.jobs)
/** The first tens of thousands of a process take twice as long. */
const WARM_UP = 100_000

interface Drained {
  ms: number
  perSecond: number
  /** ms by which the event loop was late */
  lateP99: number
}

let filled = 0

/** Jobs that the node has not heard of, as autovacuum and a checkpoint would have left them. */
async function fill(pool: pg.Pool, count: number): Promise<void> {
  await fillQueue(pool, { from: filled, to: filled + count })
  filled += count
  await pool.query('VACUUM ANALYZE job')
  await pool.query('CHECKPOINT').catch(() => undefined)
}

/** From the first end to the last. */
async function drain({ scheduler, bus }: App): Promise<Drained> {
  const ended = (): number => scheduler.stats().ended.COMPLETED
  const before = ended()
  bus.publish('wake', { nodeId: null })
  while (ended() === before) await sleep(1)
  const [first, startedAt] = [ended(), performance.now()]
  const delay = monitorEventLoopDelay({ resolution: 2 })
  delay.enable()
  while (ended() < filled) await sleep(2)
  const ms = performance.now() - startedAt
  delay.disable()
  return { ms, perSecond: ((filled - first) / ms) * 1000, lateP99: delay.percentile(99) / 1e6 }
}

async function drainWatched(app: App, watchers: number): Promise<Drained & { told: Told }> {
  const child = fork(path.join(import.meta.dirname, 'watchers.ts'), {
    execArgv: ['--experimental-websocket', '--import', 'tsx'],
  })
  let done = false
  child.on('exit', () => {
    if (!done) throw new Error('the watchers ended before the measurement')
  })
  child.send({ port: app.address.port, watchers, field: values.field } satisfies Watch)
  await once(child, 'message')
  child.send('count')
  const drained = await drain(app)
  child.send('count')
  const [told] = (await once(child, 'message')) as [Told]
  done = true
  child.kill('SIGKILL')
  await once(child, 'exit')
  return { ...drained, told }
}

const database = await createOwnDatabase(values.url)
const pool = new pg.Pool({ connectionString: database.url, max: 1 })
try {
  const store = await openStore({ url: database.url, dataDir: '' })
  await store.close()
  await fill(pool, WARM_UP)
  const app = await startApp(
    readConfig({
      API_PORT: '0',
      DATABASE_URL: database.url,
      LOG_LEVEL: 'error',
      WORKER_1_THREADS: '2',
      WORKER_2_THREADS: '0',
    }),
  )
  await drain(app)

  const alone: Drained[] = []
  const drainAlone = async (): Promise<number> => {
    await fill(pool, jobs)
    const drained = await drain(app)
    alone.push(drained)
    return drained.perSecond
  }
  const watched = counts.map(() => ({
    runs: [] as Awaited<ReturnType<typeof drainWatched>>[],
    ratios: [] as number[],
  }))
  for (let round = 0; round < rounds; round += 1) {
    let before = await drainAlone()
    for (const [index, watchers] of counts.entries()) {
      await fill(pool, jobs)
      const run = await drainWatched(app, watchers)
      const after = await drainAlone()
      watched[index]?.runs.push(run)
      watched[index]?.ratios.push(run.perSecond / ((before + after) / 2))
      before = after
    }
  }
  await app.close()

  const round2 = (value: number): number => Math.round(value * 100) / 100
  const report = {
    on: { node: process.version, field: values.field, jobs, rounds },
    alone: {
      jobsPerSecond: Math.round(median(alone.map(({ perSecond }) => perSecond))),
      loopLateP99Ms: round2(median(alone.map(({ lateP99 }) => lateP99))),
    },
    watched: watched.map(({ runs, ratios }, index) => ({
      watchers: counts[index],
      ofAlone: round2(median(ratios)),
      rounds: ratios.map(round2),
      loopLateP99Ms: round2(median(runs.map(({ lateP99 }) => lateP99))),
      messagesPerSecond: Math.round(
        median(runs.map(({ told, ms }) => (told.messages / ms) * 1000)),
      ),
      changesPerSecond: Math.round(median(runs.map(({ told, ms }) => (told.jobs / ms) * 1000))),
    })),
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
} finally {
  await pool.end()
  await database.drop()
}
process.exit(0)
