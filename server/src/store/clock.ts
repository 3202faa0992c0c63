import type pg from 'pg'
import { run } from './run.ts'

/** The database's clock, estimated on this machine. All times of jobs are on it, so nodes need not agree on the hour. */
export interface Clock {
  /** epoch ms, whole microseconds; never goes back */
  now(): number
  /** estimates anew; STORE_UNAVAILABLE */
  sync(): Promise<void>
}

/** The quickest of a few round trips bounds the error best: it is at most half of it. */
const SAMPLES = 3

const local = (): number => performance.timeOrigin + performance.now()

export function createClock(pool: pg.Pool): Clock {
  let offsetMs = 0
  let last = 0

  return {
    now() {
      last = Math.max(last, Math.round((local() + offsetMs) * 1000) / 1000)
      return last
    },
    async sync() {
      let best = Infinity
      for (let sample = 0; sample < SAMPLES; sample += 1) {
        const sentAt = local()
        const [row] = await run<{ ms: number }>(pool, {
          text: `SELECT date_part('epoch', clock_timestamp()) * 1000 AS ms`,
        })
        const tookMs = local() - sentAt
        if (!row || tookMs >= best) continue
        best = tookMs
        offsetMs = row.ms - (sentAt + tookMs / 2)
      }
    },
  }
}
