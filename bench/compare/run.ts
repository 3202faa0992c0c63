/**
 * Heddle side by side with its peers, in one run on one machine.
 *
 *   pnpm bench [--rounds 3] [--only heddle,bullmq] [--work noop,cpu1] [--quick]
 *              [--postgres URL] [--redis URL] [--redis-fsync everysec] [--json FILE]
 *
 * Prints Markdown. README.md beside this file says what each work is and by which rules it is fair.
 */
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import { toError } from '../../server/src/core/errors.ts'
import { startCalibration, type Calibration } from './calibrate.ts'
import { runCell } from './cell.ts'
import type { Contender } from './contenders.ts'
import { lookAround } from './machine.ts'
import { readOptions } from './options.ts'
import { installPeers } from './peers.ts'
import { toMarkdown, type Report } from './report.ts'
import { createResults } from './results.ts'
import { startServices, type Services } from './services.ts'
import type { Work } from './works.ts'

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const cores = os.availableParallelism()
const options = readOptions(process.argv.slice(2), cores)
const results = createResults()

/**
 * A signal ends the cell under way and reports what there is; servers of our own are stopped. It may come
 * twice, from the terminal and passed on by who started us.
 */
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => stopping.abort())
}

/** Every second round backwards, so that nobody always comes after the same neighbour. */
function* cells(): Generator<{ round: number; work: Work; contender: Contender }> {
  for (let round = 1; round <= options.rounds; round += 1) {
    const order = round % 2 === 0 ? options.contenders.toReversed() : options.contenders
    for (const work of options.works) {
      for (const contender of order) {
        if (stopping.signal.aborted) return
        if (!(work.name in contender.without)) yield { round, work, contender }
      }
    }
  }
}

const shown = (figures: Record<string, number>): string =>
  Object.values(figures)
    .map((value) => value.toFixed(2))
    .join(' / ')

async function runAll(
  services: Services,
  calibration: Calibration,
  roundsPerMs: number,
): Promise<void> {
  for (const { round, work, contender } of cells()) {
    const where = `round ${round}  ${work.name.padEnd(14)} ${contender.name.padEnd(17)}`
    try {
      const result = await runCell(contender, work, {
        services,
        cores,
        roundsPerMs,
        calibration,
        quick: options.quick,
        stop: stopping.signal,
      })
      results.add(work, contender, result)
      say(`${where} ${shown(result.figures)} ${work.unit}`)
    } catch (error) {
      const reason = toError(error).message
      results.fail({ work: work.name, contender: contender.name, reason })
      say(`${where} FAILED: ${reason}`)
    }
  }
}

await installPeers()
const services = await startServices(options)
const calibration = await startCalibration(cores)
try {
  const machine = await lookAround(services, options.contenders)
  const roundsPerMs = await calibration.roundsPerMs()
  await runAll(services, calibration, roundsPerMs)
  const { contenders, works, rounds, quick } = options
  const report: Report = {
    machine,
    rounds,
    quick,
    roundsPerMs,
    contenders,
    works,
    rows: results.rows(),
    failures: results.failures,
  }
  process.stdout.write(`${toMarkdown(report)}\n`)
  if (options.json !== null) {
    // Without where the contenders' scripts lie on this machine.
    const publicOnly = (name: string, value: unknown) => (name === 'script' ? undefined : value)
    writeFileSync(options.json, `${JSON.stringify(report, publicOnly, 2)}\n`)
  }
} finally {
  await calibration.close()
  await services.stop()
}
process.exitCode = results.failures.length > 0 ? 1 : 0
