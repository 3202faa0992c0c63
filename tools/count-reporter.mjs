import { writeFileSync } from 'node:fs'

/** Counts a vitest run for tools/test.mjs, which adds its own checks and prints the closing line. */
export default class CountReporter {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      // A file that cannot be loaded has no tests that could fail.
      if (module.state() === 'failed' && module.errors().length > 0) counts.failed += 1
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state in counts) counts[state] += 1
      }
    }
    writeFileSync(process.env.HEDDLE_TEST_COUNTS, JSON.stringify(counts))
  }
}
