/**
 * How long the built server takes from the start of its process until /readyz answers 200, with a database
 * that exists already, and how much memory it has when it has been idle for a while:
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
const rounds = Number(values.rounds)
const flags = values.flags.split(' ').filter(Boolean)

const spread = (list: number[]) => {
  const sorted = [...list].sort((a, b) => a - b).map(Math.round)
  return { best: sorted[0], median: sorted[Math.floor(sorted.length / 2)], worst: sorted.at(-1) }
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
  const cpu: { server: number; workers: number }[] = []
  for (let round = 0; round < rounds; round += 1) {
    const server = await startBuiltServer(variables, flags)
    ready.push(server.readyMs)
    cpu.push(server.cpuMs)
    await server.stop()
  }
  const server = await startBuiltServer(variables, flags)
  await new Promise((resolve) => setTimeout(resolve, Number(values.idle) * 1000))
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
