// `node tools/checks.mjs`, or as part of `npm test`: everything that is checked without running the product.
import path from 'node:path'
import { bin, endOn, ROOT, StepError, toolStep } from './steps.mjs'
import { lookForServices, postgresUrl } from './services.mjs'

const tsc = (project) => [bin('tsc', 'typescript'), ['--noEmit', '-p', project]]

/** The longest first, so that two at a time end together. */
const checks = ({ postgres }) => [
  ['lint', bin('eslint'), ['.', '--max-warnings', '0']],
  ['types of the server', ...tsc('server')],
  ['format', bin('prettier'), ['--check', '--log-level', 'warn', '.']],
  ['types of the dashboard', ...tsc('web')],
  ['types of the tools', ...tsc('.')],
  [
    'who imports whom',
    bin('depcruise', 'dependency-cruiser'),
    ['server/src', 'web/src', '--config', '.dependency-cruiser.mjs'],
  ],
  [
    'GraphQL schema as committed',
    bin('tsx'),
    ['server/src/api/graphql/print-schema.ts', '--check'],
  ],
  // Needs a server to replay the migrations on; it makes a database of its own there and drops it.
  ...(postgres
    ? [
        [
          'migrations agree with schema.prisma',
          path.join(ROOT, 'tools/prisma.mjs'),
          [
            'migrate',
            'diff',
            '--from-migrations',
            'prisma/migrations',
            '--to-schema',
            'prisma/schema.prisma',
            '--exit-code',
          ],
          { DATABASE_URL: postgresUrl },
        ],
      ]
    : []),
]

/** After the others, with the machine to itself: a ratio of two figures of one run, never a time. */
const afterwards = ({ postgres }) =>
  postgres
    ? [
        [
          'drain beside the bare loop',
          bin('tsx'),
          ['bench/drain.ts', '--url', postgresUrl, '--jobs', '20000', '--least', '0.2'],
        ],
      ]
    : []

/** Runs all checks, two at a time, whichever fail. Resolves with how many passed and failed. */
export async function runChecks(services) {
  let waiting = checks(services)
  const counts = { passed: 0, failed: 0 }
  const lane = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      try {
        await toolStep(...check)
        counts.passed += 1
      } catch (error) {
        if (!(error instanceof StepError)) throw error
        counts.failed += 1
      }
    }
  }
  await Promise.all([lane(), lane()])
  waiting = afterwards(services)
  await lane()
  return counts
}

if (process.argv[1] === import.meta.filename) {
  const { failed } = await runChecks(await lookForServices()).catch(endOn)
  process.exitCode = failed > 0 ? 1 : 0
}
