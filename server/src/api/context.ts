import type { Bus } from '../bus/bus.ts'
import type { Backoff, WorkerView } from '../core/job.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { Read } from '../store/read.ts'

/** A job type as the doors describe it to their callers. */
export interface JobTypeView {
  type: string
  description?: string | null
  parallel: boolean
  timeoutMs: number
  maxAttempts: number
  backoff: Backoff
  /** JSON Schema of what a caller sends */
  payloadSchema: Record<string, unknown>
}

/** All that resolvers and routes may use of the rest of the server. */
export interface ApiServices {
  scheduler: Pick<
    Scheduler,
    'submit' | 'cancel' | 'retry' | 'stats' | 'accepting' | 'insight' | 'whatIf' | 'fairShares'
  > & {
    workers(): WorkerView[] | Promise<WorkerView[]>
  }
  read: Read
  bus: Bus
  registry: { types: readonly JobTypeView[] }
}

/** Jobs in one submission, and one cancellation: what one statement and one answer carry well. */
export const MAX_BATCH = 1000

/** Jobs on one page of a list. */
export const PAGE = { min: 1, max: 500, default: 50 } as const

/** No job type's name has a NUL, and Postgres refuses one in a text. */
export const possibleTypes = (types: readonly string[]): string[] =>
  types.filter((type) => !type.includes('\0'))
