import { HeddleError } from '../core/errors.ts'
import type { Estimator } from '../core/estimate.ts'
import type { Job, WorkerView } from '../core/job.ts'
import { whatIf, type Change, type Forecast, type Present } from '../core/what-if.ts'
import { findActive } from '../store/find.ts'
import type { Store } from '../store/open.ts'
import { peekQueued } from '../store/peek.ts'

/** A simulation works this long before it lets others have a turn. */
const SLICE_MS = 8
/** and this long in all. */
const LIMIT_MS = 5_000
/** Simulations that wait for their turn; one more is refused. */
const MAX_WAITING = 4
const ANY_GANG = 1_000_000

export const WHAT_IF = { jobs: { min: 1, max: 20_000, default: 5_000 }, unknownMs: 1_000 } as const

export interface WhatIfRequest extends Change {
  /** how many jobs, the best of the queue */
  limit?: number
  unknownMs?: number
}

export interface WhatIfAnswer extends Forecast {
  workers: readonly { name: string; threads: number }[]
  /** there are more queued jobs than were simulated */
  truncated: boolean
  /** false: time ran out before every job had started */
  complete: boolean
}

/** What would become of the cluster's queue. BUSY, STORE_UNAVAILABLE */
export type WhatIf = (request: WhatIfRequest) => Promise<WhatIfAnswer>

export interface WhatIfOptions {
  store: Store
  estimator: Estimator
  agingMs: number | null
  /** of the whole cluster */
  workers(): WorkerView[]
  isParallel(type: string): boolean
}

export function createWhatIf(options: WhatIfOptions): WhatIf {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()

  const answer = async (request: WhatIfRequest): Promise<WhatIfAnswer> => {
    const limit = request.limit ?? WHAT_IF.jobs.default
    const present = await presentOf(options, limit, request.unknownMs ?? WHAT_IF.unknownMs)
    const { forecast, complete } = await inSlices(whatIf(present, request))
    return {
      ...forecast,
      workers: request.workers ?? present.workers,
      truncated: present.queued.length === limit,
      complete,
    }
  }

  return async (request) => {
    if (waiting >= MAX_WAITING) {
      throw new HeddleError('BUSY', 'Other simulations are under way', {
        hint: 'Try again when they have ended',
        retryAfterMs: 1000,
      })
    }
    waiting += 1
    const turn = last.then(() => answer(request)).finally(() => void (waiting -= 1))
    last = turn.catch(() => {})
    return turn
  }
}

async function presentOf(
  { store, estimator, agingMs, workers, isParallel }: WhatIfOptions,
  limit: number,
  unknownMs: number,
): Promise<Present> {
  const views = workers()
  const widths = new Map<string, { width: number; workerName: string }>()
  for (const view of views) {
    for (const id of view.busy) {
      if (id === null) continue
      widths.set(id, { width: (widths.get(id)?.width ?? 0) + 1, workerName: fullName(view) })
    }
  }
  const [queued, running] = await Promise.all([
    peekQueued(store, { limit, maxGang: ANY_GANG, clusterMaxGang: ANY_GANG }),
    findActive(store.pool, [...widths.keys()]),
  ])
  return {
    queued,
    running: running.flatMap((job) => toRun(job, widths.get(job.id))),
    workers: views.map((view) => ({ name: fullName(view), threads: view.threads })),
    estimator,
    agingMs,
    now: store.clock.now(),
    unknownMs,
    isParallel,
  }
}

/** Nodes may have workers of the same name. */
const fullName = ({ nodeName, name }: WorkerView): string => `${nodeName}/${name}`

const toRun = (job: Job, place: { width: number; workerName: string } | undefined) =>
  place && job.startedAt !== null
    ? [
        {
          ...place,
          jobId: job.id,
          type: job.type,
          rank: job.rank,
          startedAt: job.startedAt,
          sizeClass: job.sizeClass,
          expectedMs: job.expectedMs,
          timeoutMs: job.timeoutMs,
        },
      ]
    : []

async function inSlices(
  steps: Generator<() => Forecast, Forecast>,
): Promise<{ forecast: Forecast; complete: boolean }> {
  const deadline = performance.now() + LIMIT_MS
  for (;;) {
    const sliceEnd = performance.now() + SLICE_MS
    let sofar: (() => Forecast) | null = null
    while (performance.now() < sliceEnd) {
      const { done, value } = steps.next()
      if (done) return { forecast: value, complete: true }
      sofar = value
    }
    if (sofar && performance.now() > deadline) return { forecast: sofar(), complete: false }
    await new Promise((resolve) => setImmediate(resolve))
  }
}
