import './quiet.ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** file with a PGlite data folder in which the migrations have been applied */
    databaseImage: string
  }
}

/** Making an empty embedded database takes seconds: done once a run, then every test file loads the image in 0.4 s. */
export default async function setup(project: TestProject): Promise<() => void> {
  const { PGlite } = await import('@electric-sql/pglite')
  const { embeddedPool } = await import('../src/store/embedded.ts')
  const { migrate } = await import('../src/store/migrate.ts')

  const engine = await PGlite.create()
  const pool = embeddedPool(engine)
  const client = await pool.connect()
  await migrate(client)
  client.release()
  await pool.end()

  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-image-'))
  const file = path.join(folder, 'image.tar')
  const image = await engine.dumpDataDir('none')
  writeFileSync(file, Buffer.from(await image.arrayBuffer()))
  await engine.close()
  project.provide('databaseImage', file)
  return () => rmSync(folder, { recursive: true })
}
