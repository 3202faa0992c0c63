import { spawn, type ChildProcess } from 'node:child_process'
import { openSync } from 'node:fs'
import path from 'node:path'
import { freePort, sleep } from './services.ts'
import { startProxy, type Proxy } from './proxy.ts'

const SERVER = path.resolve(import.meta.dirname, '../../server/dist/main.js')

export interface ClusterNode {
  name: string
  url: string
  alive(): boolean
  /** kill -9 of the server process; its workers must notice by themselves */
  kill(): Promise<void>
  start(): Promise<void>
  /** SIGTERM, and waits until it has gone */
  stop(): Promise<void>
  /** SIGSTOP of the whole group: nothing of it runs, nothing of it knows */
  freeze(): void
  thaw(): void
  /** no byte to or from PostgreSQL and Redis */
  cutOff(): void
  mend(): void
  close(): Promise<void>
}

export interface ClusterNodeOptions {
  name: string
  postgresPort: number
  redisPort: number
  database: string
  logFolder: string
  leaseMs: number
  /** of its workers */
  threads?: number[]
}

export async function createClusterNode(options: ClusterNodeOptions): Promise<ClusterNode> {
  const postgres: Proxy = await startProxy(options.postgresPort)
  const redis: Proxy = await startProxy(options.redisPort)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const logFile = openSync(path.join(options.logFolder, `${options.name}.log`), 'a')
  let child: ChildProcess | undefined

  const ready = async (): Promise<void> => {
    for (let tries = 0; tries < 600; tries += 1) {
      if (child?.exitCode !== null)
        throw new Error(`${options.name} ended at start-up, see its log`)
      const answer = await fetch(`${url}/readyz`).catch(() => null)
      if (answer?.ok) return
      await sleep(100)
    }
    throw new Error(`${options.name} did not become ready`)
  }
  const signalGroup = (signal: NodeJS.Signals): void => {
    if (child?.pid !== undefined) process.kill(-child.pid, signal)
  }

  const stop = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child?.once('exit', resolve))
    signalGroup('SIGCONT')
    child.kill('SIGTERM')
    const late = setTimeout(() => signalGroup('SIGKILL'), 30_000)
    await ended
    clearTimeout(late)
  }

  return {
    stop,
    name: options.name,
    url,
    alive: () => child !== undefined && child.exitCode === null && child.signalCode === null,
    async start() {
      child = spawn(process.execPath, [SERVER], {
        detached: true,
        stdio: ['ignore', logFile, logFile],
        env: {
          ...process.env,
          API_PORT: String(port),
          NODE_NAME: options.name,
          DATABASE_URL: `postgresql://postgres@127.0.0.1:${postgres.port}/${options.database}`,
          REDIS_URL: `redis://127.0.0.1:${redis.port}`,
          JOBS_DIR: path.join(import.meta.dirname, 'jobs'),
          WORKER_1_THREADS: String(options.threads?.[0] ?? 2),
          WORKER_2_THREADS: String(options.threads ? (options.threads[1] ?? 0) : 4),
          LEASE_MS: String(options.leaseMs),
        },
      })
      await ready()
    },
    async kill() {
      if (!child) return
      const ended = new Promise((resolve) => child?.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
    freeze: () => signalGroup('SIGSTOP'),
    thaw: () => signalGroup('SIGCONT'),
    cutOff() {
      postgres.cut()
      redis.cut()
    },
    mend() {
      postgres.mend()
      redis.mend()
    },
    async close() {
      await stop()
      await Promise.all([postgres.close(), redis.close()])
    },
  }
}
