import { spin } from './workload.mjs'

const TRIALS = 15
const ROUNDS = 20_000_000

/**
 * Rounds of `spin` that one core does in a ms, once the loop is compiled. The fastest trial is the one
 * that nothing else disturbed.
 */
export function calibrate(): number {
  const times = Array.from({ length: TRIALS }, () => {
    const startedAt = performance.now()
    spin(ROUNDS)
    return performance.now() - startedAt
  })
  return Math.round(ROUNDS / Math.min(...times))
}
