/**
 * Writes server/schema.graphql, the API's diff in review and the source of the dashboard's types.
 * With --check it writes nothing and exits 1 if the committed file is stale.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { loadRegistry } from '../../job-types/registry.ts'
import { buildSchema } from './schema.ts'

const file = fileURLToPath(new URL('../../../schema.graphql', import.meta.url))
const cacheDir = await mkdtemp(path.join(os.tmpdir(), 'heddle-schema-'))
try {
  const schema = buildSchema(await loadRegistry({ cacheDir }))
  const text = `${printSchema(lexicographicSortSchema(schema))}\n`
  if (!process.argv.includes('--check')) {
    await writeFile(file, text)
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    process.stderr.write('server/schema.graphql is stale: run `pnpm schema` and commit it\n')
    process.exitCode = 1
  }
} finally {
  await rm(cacheDir, { recursive: true, force: true })
}
