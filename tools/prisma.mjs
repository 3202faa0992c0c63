#!/usr/bin/env node
// Runs the prisma CLI with no download, so that it works behind firewalls and offline.
//
// The CLI looks for a native schema engine before every command, `generate` included, and fetches it
// where it is missing. PRISMA_SCHEMA_ENGINE_BINARY names one that is there: prisma's own WebAssembly
// build behind the same protocol. Plain `npx prisma` works as well, for those who have the network.
//
// After a change of prisma/schema.prisma, with a PostgreSQL server to try the migrations on:
//   DATABASE_URL=postgresql://… node tools/prisma.mjs migrate dev --create-only --name what-changes
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'

const packageFile = createRequire(import.meta.url).resolve('prisma/package.json')
const cli = path.join(path.dirname(packageFile), 'build/index.js')
const { status } = spawnSync(process.execPath, [cli, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: {
    PRISMA_SCHEMA_ENGINE_BINARY: path.join(import.meta.dirname, 'schema-engine.mjs'),
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    ...process.env,
  },
})
process.exit(status ?? 1)
