import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const script = path.join(import.meta.dirname, 'memory-churn.ts')
const { header } = process.report.getReport() as unknown as {
  header: { glibcVersionRuntime?: string }
}

describe.runIf(header.glibcVersionRuntime)('memory that large payloads were in', () => {
  it('stays with the process, where most of it would be given back', async () => {
    const flags = ['--expose-gc', '--import', import.meta.resolve('tsx')]
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, script], {
      // Large pages would hide the faults.
      env: { ...process.env, GLIBC_TUNABLES: '' },
    })
    expect(Number(stdout)).toBeLessThan(0.1)
  })
})
