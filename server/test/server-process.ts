import { spawn, type ChildProcess } from 'node:child_process'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** The product as a process of its own, so that it can be killed and signalled. */
export interface ServerProcess {
  url: string
  pid: number
  output(): string
  signal(name: NodeJS.Signals): void
  /** how it ended: its exit code, or the signal that ended it */
  ended: Promise<number | NodeJS.Signals | null>
}

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const SOURCES = ['--import', TSX, path.join(ROOT, 'server/src/main.ts')]
/** What `npm start` runs, once it is built. */
export const BUILT = [path.join(ROOT, 'server/dist/main.js')]

/**
 * Starts `main.ts`, or what was built of it, and resolves when it is ready; rejects with its output when it
 * ends before. Runs where no `.env` lies, which would have a say in the test.
 */
export async function startServerProcess(
  variables: Record<string, string>,
  entry: string[] = SOURCES,
): Promise<ServerProcess> {
  const child: ChildProcess = spawn(process.execPath, entry, {
    cwd: os.tmpdir(),
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LOG_LEVEL: 'warn',
      API_PORT: '0',
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  )
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      const match = /Dashboard\s+(http:\S+)/.exec(output)
      if (match?.[1]) resolve(match[1])
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    void ended.then((how) => reject(new Error(`ended with ${how} before it was ready:\n${output}`)))
  })
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    signal: (name) => void child.kill(name),
    ended,
  }
}
