import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** 0.1 s to have the loop compiled, then some 0.4 s to measure it. */
const WARM_UP_ROUNDS = 100_000_000
const ROUNDS = 400_000_000

export interface Calibration {
  /**
   * Rounds of `spin` that a core does in a ms now, while all of them are at it: on shared machines a core does
   * a tenth more at one time than at another, and less beside a busy one than alone.
   */
  roundsPerMs(): Promise<number>
  close(): Promise<unknown>
}

export async function startCalibration(cores: number): Promise<Calibration> {
  const threads = Array.from(
    { length: cores },
    () => new Worker(new URL('./spin-thread.mjs', import.meta.url)),
  )
  const spinAll = async (rounds: number): Promise<number> => {
    const speeds = await Promise.all(
      threads.map(async (thread) => {
        thread.postMessage(rounds)
        const [speed] = (await once(thread, 'message')) as [number]
        return speed
      }),
    )
    return Math.round(speeds.reduce((sum, speed) => sum + speed, 0) / cores)
  }
  await spinAll(WARM_UP_ROUNDS)
  return {
    roundsPerMs: () => spinAll(ROUNDS),
    close: () => Promise.all(threads.map((thread) => thread.terminate())),
  }
}
