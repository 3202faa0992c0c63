/**
 * Drain of tiny jobs on real threads, beside the least code that could do it (`prototype.ts`), in one run:
 *
 *   npx tsx bench/drain.ts --url postgresql://… [--jobs 60000] [--rounds 3] [--profile file.cpuprofile]
 *
 * The jobs wait in the table when the node starts. Prints JSON: medians of the rounds and their ratio. With
 * `--least 0.2` it fails where no round reaches that ratio: `npm test` has it as a guard against what would
 * make the drain several times slower. Finer differences drown in the noise of a shared machine.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import os from 'node:os'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { openStore } from '../server/src/store/open.ts'
import { readConfig, startApp } from './built-app.ts'
import { measureCpu, type CpuTimes } from './cpu-time.ts'
import { fillQueue } from './fill.ts'
import { drainBare } from './prototype.ts'
import { median } from './median.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    jobs: { type: 'string', default: '60000' },
    rounds: { type: 'string', default: '3' },
    isolation: { type: 'string', default: 'process' },
    profile: { type: 'string' },
    least: { type: 'string' },
  },
})
if (!values.url) throw new Error('usage: tsx bench/drain.ts --url postgresql://… [--jobs N]')
const jobs = Number(values.jobs)
const rounds = Number(values.rounds)
const THREADS = 2

const database = `heddle_drain_${randomBytes(4).toString('hex')}`
const admin = new pg.Pool({ connectionString: values.url, max: 1 })
await admin.query(`CREATE DATABASE ${database}`)
const target = new URL(values.url)
target.pathname = `/${database}`

async function drainOurs(): Promise<{ rate: number; cpu: CpuTimes | null }> {
  const store = await openStore({ url: target.href, dataDir: '' })
  await store.pool.query('TRUNCATE job, job_history')
  // By the database: the node that is measured begins with nothing of it in its memory.
  await fillQueue(store.pool, { from: 0, to: jobs })
  await store.pool.query('VACUUM ANALYZE job')
  await store.close()
  const app = await startApp(
    readConfig({
      API_PORT: '0',
      DATABASE_URL: target.href,
      LOG_LEVEL: 'error',
      WORKER_1_THREADS: String(THREADS),
      WORKER_2_THREADS: '0',
      WORKER_ISOLATION: values.isolation,
    }),
  )
  // From the first end to the last: starting the node is not what is measured.
  const ended = (): number => app.scheduler.stats().ended.COMPLETED
  const until = async (count: number): Promise<{ count: number; at: number }> => {
    while (ended() < count) await new Promise((resolve) => setTimeout(resolve, 2))
    return { count: ended(), at: performance.now() }
  }
  const first = await until(1)
  const stopProfile = values.profile === undefined ? null : await startProfile(values.profile)
  const usedCpu = measureCpu()
  const last = await until(jobs)
  const cpu = perJob(usedCpu(), last.count - first.count)
  await stopProfile?.()
  await app.close()
  return { rate: (last.count - first.count) / ((last.at - first.at) / 1000), cpu }
}

/** Records where this process spends its time; the answer writes it to `file`, for a browser's profiler. */
async function startProfile(file: string): Promise<() => Promise<void>> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  await session.post('Profiler.start')
  return async () => {
    const { profile } = await session.post('Profiler.stop')
    writeFileSync(file, JSON.stringify(profile))
    session.disconnect()
  }
}

/** Microseconds of CPU. */
function perJob(used: CpuTimes | null, count: number): CpuTimes | null {
  if (!used) return null
  const us = (part: keyof CpuTimes): number => Math.round((used[part] / count) * 10_000) / 10
  return { own: us('own'), workers: us('workers'), postgres: us('postgres') }
}

try {
  const bare: number[] = []
  const ours: number[] = []
  const cpu: (CpuTimes | null)[] = []
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await drainBare(target.href, jobs))
    const { rate, cpu: used } = await drainOurs()
    ours.push(rate)
    cpu.push(used)
  }
  const report = {
    on: { node: process.version, cpus: os.cpus().length, jobs, rounds },
    jobsPerSecond: { prototype: Math.round(median(bare)), heddle: Math.round(median(ours)) },
    ratio: Math.round((median(ours) / median(bare)) * 1000) / 1000,
    cpuUsPerJob: cpu,
    rounds: { prototype: bare.map(Math.round), heddle: ours.map(Math.round) },
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  const best = Math.max(...ours.map((rate, round) => rate / (bare[round] ?? Infinity)))
  if (values.least !== undefined && best < Number(values.least)) {
    process.stderr.write(
      `at most ${best.toFixed(2)} of the bare loop, and ${values.least} is the least\n`,
    )
    process.exitCode = 1
  }
} finally {
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`)
  await admin.end()
}
