// Runs the commands of a build, says which one is at work, and shows what they print only when one fails.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'

export const ROOT = path.resolve(import.meta.dirname, '..')

/** A command ended badly; its output has been shown. */
export class StepError extends Error {
  name = 'StepError'
}

/** Runs a command in the root folder and collects what it prints. Never rejects. */
export function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // npx is a script there, which only a shell can start.
      shell: process.platform === 'win32' && command === 'npx',
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.once('error', (error) => resolve({ ok: false, output: String(error) }))
    child.once('close', (code) => resolve({ ok: code === 0, output }))
  })
}

const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`

/** Runs a command as one line of progress. Throws StepError when it fails, its output shown. */
export async function step(title, command, args, env) {
  const start = performance.now()
  const { ok, output } = await run(command, args, env)
  if (ok) {
    console.log(`  ✓ ${title} (${seconds(start)})`)
    return
  }
  console.log(`  ✗ ${title} (${seconds(start)})\n`)
  console.log(`${output.trimEnd().replace(/^/gm, '    ')}\n`)
  throw new StepError(`${title}: ${[command, ...args].join(' ')}`)
}

/** The script that a package's `bin` names, run by this Node: no shell, no wrapper, the same on every system. */
export function bin(name, packageName = name, where = '.') {
  const folder = path.join(ROOT, where, 'node_modules', packageName)
  const { bin: scripts } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  return path.join(folder, typeof scripts === 'string' ? scripts : scripts[name])
}

/** `step` for a tool of the workspace. */
export const toolStep = (title, script, args, env) =>
  step(title, process.execPath, [script, ...args], env)

/** Starts all at once and waits for all, so that no output of one is cut short by another's failure. */
export async function together(...steps) {
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === 'rejected')
  if (failed) throw failed.reason
}

/** Ends the process on a failed step, which has said what is wrong; other errors are faults of ours. */
export function endOn(error) {
  if (!(error instanceof StepError)) throw error
  console.error(`Stopped: ${error.message}`)
  process.exit(1)
}
