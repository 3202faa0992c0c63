import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findJobs } from '../../src/store/find.ts'
import { StoreOpenError } from '../../src/store/open-error.ts'
import { openStore, type Store } from '../../src/store/open.ts'

let folder: string
let opened: Store[] = []
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'heddle-embedded-'))
})
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  opened = []
  rmSync(folder, { recursive: true })
})
const open = async (dataDir: string): Promise<Store> => {
  const store = await openStore({ dataDir })
  opened.push(store)
  return store
}

test('no acknowledged job is lost when the process is killed while it writes', async () => {
  const acknowledged: string[] = []
  for (let kill = 0; kill < 2; kill += 1) {
    const writer = spawn(
      process.execPath,
      ['--import', 'tsx', path.join(import.meta.dirname, '../embedded-writer.ts'), folder],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const enough = acknowledged.length + 400
    for await (const id of createInterface({ input: writer.stdout })) {
      acknowledged.push(id)
      if (acknowledged.length === enough) writer.kill('SIGKILL')
    }
    if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
    expect(writer.signalCode).toBe('SIGKILL')
  }
  // The last line may have been cut off in the middle.
  const ids = acknowledged.filter((id) => id.length === 36)
  expect(ids.length).toBeGreaterThanOrEqual(798)
  const store = await open(folder)
  expect((await findJobs(store, ids)).size).toBe(ids.length)
}, 60_000)

test('a folder in use is refused, and free again when it is closed', async () => {
  const first = await open(folder)
  const second = openStore({ dataDir: folder })
  await expect(second).rejects.toThrow(StoreOpenError)
  await expect(second).rejects.toThrow(/in use by another process.*DATABASE_URL/)
  await first.close()
  opened = []
  await open(folder)
})

test('a folder that cannot be made says how to mend it', async () => {
  const file = path.join(folder, 'file')
  writeFileSync(file, '')
  const opening = openStore({ dataDir: path.join(file, 'data') })
  await expect(opening).rejects.toThrow(StoreOpenError)
  await expect(opening).rejects.toThrow(/cannot be written \(ENOTDIR\).*DATA_DIR/)
})

test('a folder with something else in it is not opened, and left unlocked', async () => {
  mkdirSync(path.join(folder, 'pg'))
  writeFileSync(path.join(folder, 'pg', 'PG_VERSION'), '9\n')
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(openStore({ dataDir: folder })).rejects.toThrow(/does not open/)
  }
})
