/**
 * Fills the queue of a cell by a node without workers, in a process of its own, as the peers' workers run in
 * processes that have not filled theirs: first a job that holds all threads, then those that are measured.
 */
import { gateOf, sendTo, startNode } from './heddle-node.ts'
import { FILL, jobsOf, submitAll, type Cell } from './workload.mjs'

const cell = JSON.parse(process.argv[2] ?? '') as Cell
const app = await startNode(cell, 'api')
await app.scheduler.submit([
  { type: 'gate', payload: { file: gateOf(cell) }, threadDemand: cell.cores, priority: 1000 },
])
await submitAll(jobsOf(cell), FILL, sendTo(cell, app))
await app.close()
