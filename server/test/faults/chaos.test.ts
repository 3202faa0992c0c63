import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { haveRedis } from '../services.ts'

const ROOT = path.resolve(import.meta.dirname, '../../..')

/** The harness breaks servers of its own, so it needs their programs. */
async function haveServers(): Promise<boolean> {
  if (!(await haveRedis())) return false
  if (existsSync('/usr/lib/postgresql')) return true
  if (process.env['REQUIRE_SERVICES'] === '1') throw new Error('PostgreSQL is not installed here')
  return false
}

interface Answer {
  verdict: { accepted: number; violations: Record<string, string[]> }
  faults: { kind: string }[]
}

/** The short form of `bench/chaos/run.ts`, which README and docs quote in full length. */
describe.skipIf(!(await haveServers()))('a cluster that is broken while jobs stream in', () => {
  it(
    'gives every accepted job exactly one outcome, and runs none twice at once',
    { timeout: 600_000 },
    async () => {
      const args = ['--jobs', '400', '--faults', '9', '--lease', '2000', '--json']
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', 'tsx', path.join(ROOT, 'bench/chaos/run.ts'), ...args],
        { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 },
      )
      const { verdict, faults } = JSON.parse(stdout) as Answer
      expect(verdict.accepted).toBe(400)
      expect(new Set(faults.map(({ kind }) => kind)).size).toBeGreaterThan(5)
      for (const [kind, jobs] of Object.entries(verdict.violations)) expect(jobs, kind).toEqual([])
    },
  )
})
