// `node tools/build.mjs` builds the server to server/dist and the dashboard to web/dist.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { clearStamp, fingerprint, stampSays, writeStamp } from './stamp.mjs'
import { bin, endOn, ROOT, together, toolStep } from './steps.mjs'

const SOURCES = [
  'package.json',
  'pnpm-lock.yaml',
  'tsconfig.base.json',
  'codegen.ts',
  'prisma/schema.prisma',
  'server/package.json',
  'server/schema.graphql',
  'server/tsconfig.build.json',
  'server/types',
  'server/src',
  'web/package.json',
  'web/index.html',
  'web/public',
  'web/tsconfig.json',
  'web/vite.config.ts',
  'web/src',
  'tools/build.mjs',
]
const RESULTS = ['server/dist/main.js', 'web/dist/index.html']

/** Prisma's client from its schema, which everything on the server is compiled with. */
export const generateClient = () =>
  toolStep('database client', path.join(ROOT, 'tools/prisma.mjs'), ['generate'])

/** The dashboard's types from the printed GraphQL schema. */
export const generateTypes = () =>
  toolStep('dashboard types', bin('graphql-codegen', '@graphql-codegen/cli'), [
    '--config',
    'codegen.ts',
  ])

async function buildServer() {
  await generateClient()
  await toolStep('server', bin('tsc', 'typescript'), ['-p', 'server/tsconfig.build.json'])
  removeOrphans(path.join(ROOT, 'server/dist'), path.join(ROOT, 'server/src'))
}

/** tsc leaves the output of sources that are gone. Emptying dist before would pull it from under a running server. */
function removeOrphans(dist, src) {
  for (const entry of readdirSync(dist, { withFileTypes: true })) {
    const made = path.join(dist, entry.name)
    const source = path.join(src, entry.name).replace(/\.js(\.map)?$/, '')
    const alive = [source, `${source}.ts`, `${source}.js`].some((file) => existsSync(file))
    if (!alive) rmSync(made, { recursive: true })
    else if (entry.isDirectory()) removeOrphans(made, path.join(src, entry.name))
  }
}

async function buildWeb() {
  await generateTypes()
  await toolStep('dashboard', bin('vite', 'vite', 'web'), ['build', 'web', '--logLevel', 'warn'])
}

/** Builds everything. Throws StepError. */
export async function build(sources = fingerprint(SOURCES)) {
  clearStamp('built')
  await together(buildServer(), buildWeb())
  writeStamp('built', sources)
}

/** Builds when a source has changed since the last build, or its result is gone. Throws StepError. */
export async function buildIfChanged() {
  const sources = fingerprint(SOURCES)
  const there = RESULTS.every((file) => existsSync(path.join(ROOT, file)))
  if (there && stampSays('built', sources)) return
  console.log(there ? 'Building, because sources have changed' : 'Building')
  await build(sources)
}

if (process.argv[1] === import.meta.filename) await build().catch(endOn)
