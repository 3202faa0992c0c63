// `npm test`: installs, builds, checks, and runs every test that this machine can run. With arguments it
// runs only the tests of those files: `npm test -- server/src/core`. Its last line is 'N passed, N failed'.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { requireNode } from './node-version.mjs'

requireNode()
const { bin, endOn, ROOT } = await import('./steps.mjs')
const { install } = await import('./install.mjs')
const { buildIfChanged } = await import('./build.mjs')
const { lookForServices } = await import('./services.mjs')
const { runChecks } = await import('./checks.mjs')

const only = process.argv.slice(2)
const required = process.env.REQUIRE_SERVICES === '1'

/** Runs vitest in the foreground. Resolves with its counts; a run that died has one failure. */
async function runTests() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-counts-'))
  const file = path.join(folder, 'counts.json')
  const reporters = ['--reporter=default', '--reporter=./tools/count-reporter.mjs']
  const child = spawn(process.execPath, [bin('vitest'), 'run', ...reporters, ...only], {
    cwd: ROOT,
    env: { ...process.env, HEDDLE_TEST_COUNTS: file },
    stdio: 'inherit',
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  try {
    const counts = JSON.parse(readFileSync(file, 'utf8'))
    return { ...counts, failed: code === 0 ? counts.failed : Math.max(counts.failed, 1) }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const list = (lines) => lines.map((line) => `  - ${line}`).join('\n')

await install().then(buildIfChanged).catch(endOn)
const services = await lookForServices()
const { missing } = services
if (missing.length > 0) {
  console.log(`${required ? 'Missing' : 'Not run on this machine'}:\n${list(missing)}`)
  if (required) {
    console.log('REQUIRE_SERVICES=1 wants all of them.\n0 passed, 1 failed')
    process.exit(1)
  }
}

let checks = { passed: 0, failed: 0 }
if (only.length === 0) {
  console.log('Checking')
  checks = await runChecks(services)
}
const tests = await runTests()

const passed = checks.passed + tests.passed
let failed = checks.failed + tests.failed
if (checks.failed > 0) console.log(`${checks.failed} of the checks above the tests failed.`)
if (required && tests.skipped > 0) {
  failed += 1
  console.log(`${tests.skipped} tests were skipped, and REQUIRE_SERVICES=1 wants all of them.`)
}
if (missing.length > 0) console.log(`Not run on this machine:\n${list(missing)}`)
const skipped = tests.skipped > 0 ? `, ${tests.skipped} skipped` : ''
console.log(`${passed} passed, ${failed} failed${skipped}`)
process.exitCode = failed > 0 ? 1 : 0
