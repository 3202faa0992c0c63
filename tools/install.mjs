import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { step, ROOT } from './steps.mjs'
import { clearStamp, fingerprint, stampSays, writeStamp } from './stamp.mjs'

const MANIFESTS = [
  'package.json',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'server/package.json',
  'web/package.json',
]

/** Installs what the lockfile names, where that has not been done yet. Throws StepError. */
export async function install() {
  const wanted = fingerprint(MANIFESTS)
  if (stampSays('installed', wanted)) return
  const { packageManager } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'))
  const first = !existsSync(path.join(ROOT, 'node_modules'))
  console.log(`Installing packages${first ? ', once: this takes about half a minute' : ''}`)
  clearStamp('installed')
  // npx brings the one pnpm that the lockfile was made with; nothing has to be there but npm. Said to be
  // CI, pnpm asks nothing, and refuses a lockfile that does not fit.
  await step('install', 'npx', ['--yes', packageManager, 'install', '--frozen-lockfile'], {
    CI: 'true',
  })
  writeStamp('installed', wanted)
}
