import { execFile, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

const exec = promisify(execFile)

/** A server of the harness's own, so that it can be broken without harm to anybody else's. */
export interface Service {
  url: string
  port: number
  /** stops it the hard way and starts it again after `downMs` */
  restart(downMs: number): Promise<void>
  stop(): Promise<void>
}

export interface Postgres extends Service {
  /** on a connection of its own */
  query(sql: string): Promise<void>
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

function postgresBinaries(): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  const [newest] = versions
  if (newest === undefined)
    throw new Error('PostgreSQL is not installed: no initdb and pg_ctl were found')
  return path.join(root, newest, 'bin')
}

/** PostgreSQL refuses to run as root: there it runs as the user its package made. */
async function asPostgres(command: string, args: string[]): Promise<void> {
  if (process.getuid?.() === 0) await exec('runuser', ['-u', 'postgres', '--', command, ...args])
  else await exec(command, args)
}

export async function startPostgres(): Promise<Postgres> {
  const bin = postgresBinaries()
  const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-chaos-pg-'))
  if (process.getuid?.() === 0) {
    const { stdout } = await exec('id', ['-u', 'postgres'])
    chownSync(folder, Number(stdout), -1)
  }
  const data = path.join(folder, 'data')
  const port = await freePort()
  await asPostgres(path.join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-N'])
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c max_connections=200`
  const control = (...args: string[]) => asPostgres(path.join(bin, 'pg_ctl'), ['-D', data, ...args])
  const start = () => control('-w', '-l', path.join(folder, 'log'), '-o', options, 'start')
  await start()
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
  return {
    port,
    url,
    async query(sql) {
      const client = new pg.Client({ connectionString: url })
      client.on('error', () => undefined)
      await client.connect()
      await client.query(sql).finally(() => client.end())
    },
    async restart(downMs) {
      await control('-m', 'immediate', 'stop')
      await sleep(downMs)
      await start()
    },
    async stop() {
      await control('-m', 'immediate', 'stop').catch(() => undefined)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** `fsync`: how often it writes to disk, the AOF's `appendfsync`; nothing is kept unless told. */
export async function startRedis(fsync?: 'always' | 'everysec' | 'no'): Promise<Service> {
  const kept = fsync === undefined ? [] : ['--appendonly', 'yes', '--appendfsync', fsync]
  const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-chaos-redis-'))
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const launch = () =>
    spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...kept],
      // In a group of its own: an interrupt at the terminal is for the harness, which then stops it.
      { stdio: 'ignore', detached: true },
    )
  let server = launch()
  const kill = async (): Promise<void> => {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await ended
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    async restart(downMs) {
      await kill()
      await sleep(downMs)
      server = launch()
    },
    async stop() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
