import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const script = path.join(import.meta.dirname, 'memory-churn.ts')
const { header } = process.report.getReport() as unknown as {
  header: { glibcVersionRuntime?: string }
}

async function faultsOf(...args: string[]): Promise<number> {
  const flags = ['--expose-gc', '--import', import.meta.resolve('tsx')]
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, ...args], {
    env: { ...process.env, GLIBC_TUNABLES: '' },
  })
  return Number(stdout)
}

describe.runIf(header.glibcVersionRuntime)('memory that large payloads were in', () => {
  it('stays with the process, which touches none of it for the first time again', async () => {
    const given = await faultsOf()
    expect(given).toBeGreaterThan(100)
    expect(await faultsOf('keep')).toBeLessThan(given / 10)
  })
})
