import { forgetIdleShares } from '../store/fair-share.ts'
import { rollUpMetrics } from '../store/metrics.ts'
import type { Store } from '../store/open.ts'
import { trimHistory } from '../store/retention.ts'
import { createLoop, type Loop } from './loop.ts'

const ROLL_UP_MS = 60_000
const TRIM_MS = 60_000
const FORGET_MS = 600_000
const DAY_MS = 86_400_000
/** Rows deleted by one statement: short enough to hold no lock for long. */
const TRIM_BATCH = 5_000

/** Work one node does for all; the store's lock makes the others pass. */
export function createMaintenance(
  store: Store,
  { historyDays, fairShare }: { historyDays: number; fairShare: boolean },
): Loop[] {
  const rollUp = createLoop('metrics', ROLL_UP_MS, () => rollUpMetrics(store))
  const trim = createLoop('retention', TRIM_MS, () =>
    trimHistory(store, { maxAgeMs: historyDays * DAY_MS, batch: TRIM_BATCH }),
  )
  const forget = createLoop('fair share', FORGET_MS, () => forgetIdleShares(store))
  return [rollUp, ...(historyDays > 0 ? [trim] : []), ...(fairShare ? [forget] : [])]
}
