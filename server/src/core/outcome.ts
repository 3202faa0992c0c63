import type { JobError } from './job.ts'

/**
 * How one attempt can end. Every path out of a thread, the dead ones included, becomes one of these,
 * and they all leave by the same door (`core/transition.ts`).
 */
export type Outcome =
  /** `result` is JSON text: it is stored and sent as it is, never parsed on the way */
  | { kind: 'completed'; result: string }
  /** the handler threw; `final` where another attempt would end alike */
  | { kind: 'failed'; error: JobError; final?: boolean }
  /** it ran past its time limit and was stopped */
  | { kind: 'timedOut'; error: JobError }
  /** the thread or the worker process ended under it: exit, out of memory, crash */
  | { kind: 'lost'; error: JobError }
  /** it was stopped because somebody asked */
  | { kind: 'cancelled' }
  /** it never ran, or was given back at shutdown: goes back to the queue with no attempt counted */
  | { kind: 'interrupted' }
