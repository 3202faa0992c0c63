/** One worker process of a peer. Says how many jobs it has ended, when it began and when the last of them ended. */
import { wallClock } from '../compare/workload.mjs'

/** Seldom enough to cost nothing; the times told are those of the jobs, not of the report. */
const REPORT_MS = 20

const cell = JSON.parse(process.argv[2])
const adapter = await import(`./${cell.adapter}.mjs`)
const report = { done: 0, startedAt: Infinity, lastAt: null }
let reported = -1

const started = () => {
  report.startedAt = Math.min(report.startedAt, wallClock())
}
const go = await adapter.prepareWorker(cell, {
  onStart: started,
  onDone() {
    report.done += 1
    report.lastAt = wallClock()
  },
})
process.once('message', async () => {
  if (!adapter.tellsStart) started()
  setInterval(() => {
    if (report.done === reported) return
    reported = report.done
    process.send(report)
  }, REPORT_MS)
  await go()
})
process.once('disconnect', () => process.exit(0))
process.send('ready')
