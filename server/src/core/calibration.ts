import { percentile } from './metrics.ts'

/** When a job is expected to start, epoch ms. */
export interface Estimate {
  p50: number
  p90: number
}

/** An estimate that somebody was told. */
export interface Told extends Estimate {
  at: number
  /** as the simulation gave it */
  simulated: Estimate
}

/**
 * How right the expected starts were that people have been told (see `explain.ts`), and what that teaches:
 * a simulation of the present queue cannot know of jobs yet to come, which pass, and so it is too hopeful
 * by a factor that depends on the load. The factor is measured, and later estimates are stretched by it
 * (split conformal prediction: Vovk, Gammerman and Shafer 2005).
 */
export interface Calibration {
  /** what to tell, of what a simulation at `now` gave */
  correct(simulated: Estimate, now: number): Told
  /** a job started of which this had been told */
  record(told: Told, startedAt: number): void
  figures(): CalibrationFigures
}

export interface CalibrationFigures {
  /** of the latest estimates, a bounded number, whose jobs have started */
  count: number
  /** share that started by the p50 and by the p90 they were told; 0.5 and 0.9 would be perfect. Null of none */
  byP50: number | null
  byP90: number | null
  /** half of the estimates were wrong by no more than this, ms */
  medianErrorMs: number | null
  /** the same as a share of the wait that was expected */
  medianError: number | null
}

interface Outcome {
  byP50: boolean
  byP90: boolean
  errorMs: number
  error: number
  /** real wait over the simulated p50 and p90 of it */
  factor50: number
  factor90: number
}

/** Outcomes that a correction goes by: enough that one in ten is known, few enough that it follows the load. */
const RECENT = 200
/** With fewer outcomes nothing is corrected. */
const ENOUGH = 20

export function createCalibration(capacity = 1000): Calibration {
  const latest: Outcome[] = []
  let next = 0
  const share = (test: (outcome: Outcome) => boolean): number | null =>
    latest.length === 0 ? null : latest.filter(test).length / latest.length
  const recent = (): Outcome[] => {
    const inOrder = [...latest.slice(next), ...latest.slice(0, next)]
    return inOrder.slice(-RECENT)
  }

  return {
    correct(simulated, now) {
      const outcomes = recent()
      if (outcomes.length < ENOUGH) return { ...simulated, at: now, simulated }
      const factor50 =
        percentile(
          outcomes.map((outcome) => outcome.factor50),
          0.5,
        ) ?? 1
      const factor90 =
        percentile(
          outcomes.map((outcome) => outcome.factor90),
          0.9,
        ) ?? 1
      const p50 = now + (simulated.p50 - now) * factor50
      const p90 = Math.max(p50, now + (simulated.p90 - now) * factor90)
      return { p50, p90, at: now, simulated }
    },
    record({ p50, p90, at, simulated }, startedAt) {
      const errorMs = Math.abs(startedAt - p50)
      const wait = Math.max(0, startedAt - at)
      latest[next] = {
        byP50: startedAt <= p50,
        byP90: startedAt <= p90,
        errorMs,
        error: errorMs / Math.max(1, p50 - at),
        factor50: wait / Math.max(1, simulated.p50 - at),
        factor90: wait / Math.max(1, simulated.p90 - at),
      }
      next = (next + 1) % capacity
    },
    figures: () => ({
      count: latest.length,
      byP50: share(({ byP50 }) => byP50),
      byP90: share(({ byP90 }) => byP90),
      medianErrorMs: percentile(
        latest.map(({ errorMs }) => errorMs),
        0.5,
      ),
      medianError: percentile(
        latest.map(({ error }) => error),
        0.5,
      ),
    }),
  }
}
