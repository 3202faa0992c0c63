/**
 * How long the built server takes from the start of its process until /readyz answers 200, with a database
 * that exists already; how long its first job and then a first burst of forty take by REST, 2 s later; and how
 * much memory it has when it has been idle for a while:
 *
 *   node --import tsx bench/start.ts [--rounds 7] [--url postgresql://…] [--idle 30] [--flags '--…']
 *
 * Without --url on the embedded database, in a folder of its own.
 * Processor time until then is printed beside it: on a machine that does other things, it says more.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startBuiltServer } from './built-server.ts'
import { createOwnDatabase } from './own-database.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    url: { type: 'string' },
    idle: { type: 'string', default: '30' },
    flags: { type: 'string', default: '' },
  },
})
const PAUSE_MS = 2_000
const BURST = 40
const rounds = Number(values.rounds)
const flags = values.flags.split(' ').filter(Boolean)

const spread = (list: number[]) => {
  const sorted = [...list].sort((a, b) => a - b).map(Math.round)
  return { best: sorted[0], median: sorted[Math.floor(sorted.length / 2)], worst: sorted.at(-1) }
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function submit(url: string): Promise<string> {
  const response = await fetch(`${url}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'add_numbers', payload: { a: 1, b: 2 } }),
  })
  if (!response.ok) throw new Error(`a submission was answered with ${response.status}`)
  return ((await response.json()) as { id: string }).id
}

interface JobTimes {
  state: string
  created_at: string
  finished_at: string | null
}

/** epoch ms */
async function timesOf(url: string, id: string): Promise<{ created: number; finished: number }> {
  for (;;) {
    const job = (await (await fetch(`${url}/jobs/${id}`)).json()) as JobTimes
    if (job.finished_at !== null) {
      if (job.state !== 'COMPLETED') throw new Error(`job ${id} ended as ${job.state}`)
      return { created: Date.parse(job.created_at), finished: Date.parse(job.finished_at) }
    }
    await wait(5)
  }
}

/** ms from the first of `count` submissions at once to the end of the last, as their records have it */
async function timeOf(count: number, url: string): Promise<number> {
  const ids = await Promise.all(Array.from({ length: count }, () => submit(url)))
  // One after the other: looking must not keep the server from the jobs.
  const times = []
  for (const id of ids) times.push(await timesOf(url, id))
  const finished = times.map((each) => each.finished)
  return Math.max(...finished) - Math.min(...times.map(({ created }) => created))
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-start-'))
const database = values.url === undefined ? null : await createOwnDatabase(values.url)
const variables = {
  DATA_DIR: folder,
  ...(database === null ? {} : { DATABASE_URL: database.url }),
}
try {
  // The first start makes the tables and is not counted.
  await (await startBuiltServer(variables, flags)).stop()
  const ready: number[] = []
  const firstJob: number[] = []
  const firstBurst: number[] = []
  const cpu: { server: number; workers: number }[] = []
  for (let round = 0; round < rounds; round += 1) {
    const server = await startBuiltServer(variables, flags)
    ready.push(server.readyMs)
    cpu.push(server.cpuMs)
    await wait(PAUSE_MS)
    firstJob.push(await timeOf(1, server.url))
    firstBurst.push(await timeOf(BURST, server.url))
    await server.stop()
  }
  const server = await startBuiltServer(variables, flags)
  await wait(Number(values.idle) * 1000)
  const residentMib = server.residentMib()
  await server.stop()
  const report = {
    on: {
      node: process.version,
      cores: os.availableParallelism(),
      database: values.url === undefined ? 'embedded' : 'PostgreSQL',
      rounds,
    },
    readyMs: spread(ready),
    firstJobMs: spread(firstJob),
    firstBurstMs: spread(firstBurst),
    cpuMs: {
      server: spread(cpu.map(({ server: ms }) => ms)),
      workers: spread(cpu.map(({ workers }) => workers)),
    },
    idle: { seconds: Number(values.idle), residentMib },
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
} finally {
  await database?.drop()
  rmSync(folder, { recursive: true, force: true })
}
