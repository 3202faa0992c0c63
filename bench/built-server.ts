/** The built server as `npm start` runs it, in a process of its own, watched from outside through /proc. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { buildIfChanged } from '../tools/build.mjs'

const ROOT = path.resolve(import.meta.dirname, '..')
/** What tools/start.mjs becomes once nothing is left to build. */
const MAIN = path.join(ROOT, 'server/dist/main.js')
/** Node's flags of `npm start`. */
export const START_FLAGS = startScript()
  .split(' ')
  .filter((word) => word.startsWith('--'))
const POLL_MS = 2
const TICK_MS = 10

export interface BuiltServer {
  url: string
  /** from the start of its process to the first 200 of /readyz */
  readyMs: number
  /** processor time of the server process and of its workers until then */
  cpuMs: { server: number; workers: number }
  /** resident memory now, MiB */
  residentMib(): { server: number; workers: number[] }
  stop(): Promise<void>
}

function startScript(): string {
  const text = readFileSync(path.join(ROOT, 'package.json'), 'utf8')
  return (JSON.parse(text) as { scripts: { start: string } }).scripts.start
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const isReady = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    http
      .get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      })
      .once('error', () => resolve(false))
  })

const fieldsOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
const cpuOf = (pid: number): number => {
  const fields = fieldsOf(pid)
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
const residentOf = (pid: number): number =>
  Math.round(
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 102.4,
  ) / 10

export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        return Number(fieldsOf(child)[1]) === pid
      } catch {
        return false // it has ended meanwhile
      }
    })
}

/** `flags` are Node's. */
export async function startBuiltServer(
  variables: Record<string, string>,
  flags: string[] = [],
): Promise<BuiltServer> {
  await buildIfChanged()
  const port = await freePort()
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...START_FLAGS, ...flags, MAIN], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LOG_LEVEL: 'error',
      ...variables,
      API_PORT: String(port),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const pid = child.pid ?? 0
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    await sleep(POLL_MS)
  }
  const readyMs = performance.now() - startedAt
  const workers = childrenOf(pid)
  const cpuMs = {
    server: cpuOf(pid),
    workers: workers.reduce((sum, worker) => sum + cpuOf(worker), 0),
  }
  return {
    url: `http://127.0.0.1:${port}`,
    readyMs,
    cpuMs,
    residentMib: () => ({ server: residentOf(pid), workers: childrenOf(pid).map(residentOf) }),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
