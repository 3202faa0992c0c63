// `pnpm dev`: the server restarts when its sources change, the dashboard on port 5173 reloads itself.
import { spawn } from 'node:child_process'
import { requireNode } from './node-version.mjs'

requireNode()
const { bin, endOn, ROOT, together } = await import('./steps.mjs')
const { install } = await import('./install.mjs')
const { generateClient, generateTypes } = await import('./build.mjs')

await install()
  .then(() => together(generateClient(), generateTypes()))
  .catch(endOn)

const commands = [
  [bin('tsx'), 'watch', '--clear-screen=false', 'server/src/main.ts'],
  [bin('vite', 'vite', 'web'), 'web'],
]
// In groups of their own: Ctrl-C in a terminal reaches only this process, which then ends each of them once.
const children = commands.map((args) =>
  spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  }),
)

let stopping = false
function stop() {
  if (stopping) return
  stopping = true
  for (const child of children) child.kill('SIGTERM')
}
process.on('SIGINT', stop)
process.on('SIGTERM', stop)

// One without the other is of no use.
const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)))
const first = await Promise.race(ended)
const wanted = stopping
stop()
await Promise.all(ended)
process.exitCode = wanted ? 0 : (first ?? 1)
