/** The packages we compare with: a folder of their own, outside the workspace, installed when first needed. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { step } from '../../tools/steps.mjs'

export const PEERS = path.resolve(import.meta.dirname, '../peers')

interface Manifest {
  version: string
  packageManager?: string
  dependencies?: Record<string, string>
  engines?: { node?: string }
}

const read = (...parts: string[]): Manifest =>
  JSON.parse(readFileSync(path.join(PEERS, ...parts, 'package.json'), 'utf8')) as Manifest

const manifestOf = (name: string): Manifest => read('node_modules', name)

const isInstalled = (name: string, version: string): boolean =>
  existsSync(path.join(PEERS, 'node_modules', name)) && manifestOf(name).version === version

export async function installPeers(): Promise<void> {
  const { packageManager = 'pnpm', dependencies = {} } = read()
  if (Object.entries(dependencies).every(([name, version]) => isInstalled(name, version))) return
  await step(
    'install what Heddle is compared with',
    'npx',
    [
      '--yes',
      packageManager,
      'install',
      '--dir',
      PEERS,
      '--ignore-workspace',
      '--frozen-lockfile',
      // Some ask for a newer Node than ours and work with it all the same: the report says which.
      '--config.engine-strict=false',
    ],
    { CI: 'true' },
  )
}

export interface Peer {
  version: string
  /** the Node it asks for */
  node: string | null
}

export const peerOf = (name: string): Peer => {
  const { version, engines } = manifestOf(name)
  return { version, node: engines?.node ?? null }
}
