// One core's part of `calibrate.ts`. Plain JavaScript, because Node 20 cannot load TypeScript as a thread.
import { parentPort } from 'node:worker_threads'
import { spin } from './workload.mjs'

parentPort?.on('message', (/** @type {number} */ rounds) => {
  const startedAt = performance.now()
  spin(rounds)
  parentPort?.postMessage(rounds / (performance.now() - startedAt))
})
