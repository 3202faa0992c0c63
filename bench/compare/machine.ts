/** What the figures are of: machine, versions, and what the stores promise when they say "stored". */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { percentile } from '../../server/src/core/metrics.ts'
import type { Contender } from './contenders.ts'
import { peerOf } from './peers.ts'
import type { Services } from './services.ts'

const COMMITS = 100

export interface Machine {
  cpus: string
  cores: number
  memoryGb: number
  node: string
  postgres: Record<string, string>
  /** ms of one commit of one row, the median */
  commitMs: number
  redis: Record<string, string>
  versions: Record<string, string>
}

async function postgresFacts({ postgres }: Services): Promise<Record<string, string>> {
  const facts: Record<string, string> = {}
  for (const name of ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes']) {
    const { rows } = await postgres.query<Record<string, string>>(`SHOW ${name}`)
    facts[name] = rows[0]?.[name] ?? '?'
  }
  return facts
}

/** A commit that waits for the disk costs what the disk costs: on memory, durability looks free. */
async function timeCommits({ postgres }: Services): Promise<number> {
  const client = await postgres.connect()
  const times: number[] = []
  await client.query('CREATE TABLE heddle_bench_commit (n int)')
  for (let n = 0; n < COMMITS; n += 1) {
    const startedAt = performance.now()
    await client.query('INSERT INTO heddle_bench_commit VALUES ($1)', [n])
    times.push(performance.now() - startedAt)
  }
  await client.query('DROP TABLE heddle_bench_commit')
  client.release()
  return percentile(times, 0.5) ?? 0
}

async function redisFacts({ redis }: Services): Promise<Record<string, string>> {
  const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? '?'
  const facts: Record<string, string> = { version }
  for (const name of ['save', 'appendonly', 'appendfsync']) {
    const answer = (await redis.config('GET', name).catch(() => [])) as string[]
    facts[name] = answer[1] || 'none'
  }
  return facts
}

function ourVersion(): string {
  const root = path.resolve(import.meta.dirname, '../..')
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string
  }
  try {
    const commit = execFileSync('git', ['describe', '--always', '--dirty'], { cwd: root })
    return `${version} (${commit.toString().trim()})`
  } catch {
    return version
  }
}

/** A version, and the Node it asks for where that is not the one it runs on. */
function versionOf({ package: name }: Contender): string {
  if (name === null) return ourVersion()
  const { version, node } = peerOf(name)
  const least = Number(/\d+/.exec(node ?? '')?.[0] ?? 0)
  const ours = Number(process.versions.node.split('.')[0])
  return least > ours ? `${version} (asks for Node ${node})` : version
}

export async function lookAround(services: Services, contenders: Contender[]): Promise<Machine> {
  return {
    cpus: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 1024 ** 3),
    node: process.version,
    postgres: await postgresFacts(services),
    commitMs: await timeCommits(services),
    redis: await redisFacts(services),
    versions: Object.fromEntries(
      contenders.map((each) => [each.package ?? 'heddle', versionOf(each)]),
    ),
  }
}
