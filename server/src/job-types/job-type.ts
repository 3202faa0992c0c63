import type { z } from 'zod'
import type { Backoff } from '../core/job.ts'

/** What a running job may use of its surroundings. */
export interface JobContext {
  readonly jobId: string
  /** 1 for the first attempt */
  readonly attempt: number
  /** threads this job was given */
  readonly width: number
  /** aborts when the job is cancelled or out of time; the thread is ended after a grace period */
  readonly signal: AbortSignal
  /** like `signal.aborted`, but true at once even inside a loop that never yields */
  readonly cancelled: boolean
  throwIfCancelled(): void
  /** tells how far the job is, from 0 to 1; sent at most ten times a second */
  progress(fraction: number): void
}

/** How a job is spread over threads: `split` and `merge` run once, `run` once per chunk on a thread of its own. */
export interface ParallelHandler<Payload, Chunk, Part, Result> {
  /**
   * At most `width` chunks. A chunk is handed to its thread by structured clone: put large arrays on a
   * SharedArrayBuffer, which all threads of the worker then read in place.
   */
  split(payload: Payload, width: number): Chunk[]
  run(chunk: Chunk, context: JobContext): Part | Promise<Part>
  /** parts in the order of their chunks */
  merge(parts: Part[], payload: Payload): Result | Promise<Result>
}

interface JobTypeCommon<Schema extends z.ZodType> {
  /** snake_case, unique */
  type: string
  description?: string
  /** the single source of validation, GraphQL input, OpenAPI and the dashboard's form */
  payload: Schema
  /** limit of one attempt in ms; 5 minutes unless told */
  timeoutMs?: number
  /** attempts before a failure is final; 3 unless told */
  maxAttempts?: number
  backoff?: Backoff
}

export interface SerialJobType<Schema extends z.ZodType, Result> extends JobTypeCommon<Schema> {
  run(payload: z.output<Schema>, context: JobContext): Result | Promise<Result>
  parallel?: never
}

export interface ParallelJobType<
  Schema extends z.ZodType,
  Chunk,
  Part,
  Result,
> extends JobTypeCommon<Schema> {
  parallel: ParallelHandler<z.output<Schema>, Chunk, Part, Result>
  run?: never
}

/** Any job type, its own types forgotten: what the registry and the threads hold. */
export type JobType =
  SerialJobType<z.ZodType, unknown> | ParallelJobType<z.ZodType, unknown, unknown, unknown>

/**
 * Declares a job type. A module exports one as `default`; the built-in ones and a user's own in
 * `JOBS_DIR` come through this same door.
 */
export function defineJob<Schema extends z.ZodType, Result>(
  definition: SerialJobType<Schema, Result>,
): JobType
export function defineJob<Schema extends z.ZodType, Chunk, Part, Result>(
  definition: ParallelJobType<Schema, Chunk, Part, Result>,
): JobType
export function defineJob(definition: unknown): JobType {
  // The overloads have checked the definition's own types; from here on they are opaque.
  return definition as JobType
}
