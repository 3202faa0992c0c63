/** What REST answers, as schemas: the source of its description, and what its tests hold answers to. */
import { z } from 'zod'
import { jobStates } from '../../core/job.ts'

const time = z.iso.datetime()
const ms = z.number().min(0)

const ErrorBody = z.strictObject({
  name: z.string(),
  message: z.string(),
  code: z.string().nullable().describe('e.g. TIMEOUT, OUT_OF_MEMORY, THREAD_EXIT, NODE_LOST'),
  stack: z.string().nullable(),
})

const AttemptBody = z.strictObject({
  number: z.int(),
  node_id: z.string(),
  worker_name: z.string().nullable(),
  started_at: time,
  finished_at: time,
  error: ErrorBody.nullable(),
})

export const ScheduleBody = z.strictObject({
  position: z.int().nullable().describe('1 for the next in order; null far back in the queue'),
  reason: z.enum([
    'STARTS_NOW',
    'RESERVED',
    'NOT_ENOUGH_FREE_THREADS',
    'WOULD_DELAY_HEAD',
    'BEHIND_OTHERS',
    'ANOTHER_NODE',
    'NO_WORKER',
  ]),
  reasons: z.array(z.string()).describe('The same in plain sentences'),
  ahead: z.array(z.string()).describe('The jobs right before it, at most ten; the next one last'),
  width: z.int().describe('Threads it will be given, all at once'),
  free_threads: z.int().describe('Most that one worker has free'),
  workers: z.array(z.strictObject({ name: z.string(), threads: z.int(), free_threads: z.int() })),
  reservation: z
    .strictObject({
      job_id: z.string(),
      worker_name: z.string(),
      width: z.int(),
      since: time,
      start_at: time.nullable(),
      promised_at: time.nullable(),
    })
    .nullable(),
  estimated_start: z
    .strictObject({ p50: time, p90: time })
    .nullable()
    .describe('Null where it cannot run here, or too little is known to say'),
})

export const JobBody = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  type: z.string(),
  priority: z.int().describe('Higher runs first'),
  thread_demand: z.int(),
  threads: z
    .strictObject({ min: z.int(), preferred: z.int(), max: z.int() })
    .nullable()
    .describe('Of a job that may run on any number in a range; null for a fixed demand'),
  expected_ms: z.int().nullable().describe('Run time the submitter expects'),
  fairness_key: z.string().nullable().describe('Whose share of the threads it uses'),
  width: z.int().nullable().describe('Threads it was given; null until it first starts'),
  width_reason: z
    .enum(['AS_DEMANDED', 'TYPE_NOT_PARALLEL', 'NO_WORKER_LARGE_ENOUGH', 'WITHIN_RANGE'])
    .nullable(),
  state: z.enum(jobStates),
  progress: z.number().min(0).max(1).nullable(),
  attempt: z.int().describe('0 until it first starts'),
  max_attempts: z.int(),
  attempts: z.array(AttemptBody).describe('Executions that have ended'),
  backoff: z.strictObject({ base_ms: z.int(), max_ms: z.int() }),
  timeout_ms: z.int().nullable(),
  worker_name: z.string().nullable(),
  node_id: z.string().nullable(),
  cancel_requested: z.boolean(),
  created_at: time,
  run_at: time,
  started_at: time.nullable(),
  finished_at: time.nullable(),
  queue_time_ms: ms.nullable().describe('From run_at to the start'),
  execution_time_ms: ms.nullable().describe('From the start to the end'),
  total_time_ms: ms.nullable().describe('From created_at to the end'),
  error: ErrorBody.nullable(),
  payload: z.unknown().optional().describe('With one job, and with lists that include it'),
  result: z.unknown().optional().describe('With one job, and with lists that include it'),
  schedule: ScheduleBody.nullable()
    .optional()
    .describe('With one job that includes it; null but for queued jobs'),
})

export const JobsBody = z.strictObject({
  jobs: z.array(JobBody),
  next_cursor: z
    .string()
    .nullable()
    .describe('Pass it as cursor for the next page; null on the last'),
})

export const BulkBody = z.strictObject({ jobs: z.array(JobBody) })

export const ProblemBody = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string().describe('For programs, e.g. INVALID_PAYLOAD'),
  issues: z
    .array(
      z.strictObject({
        path: z.array(z.union([z.string(), z.int()])),
        message: z.string(),
      }),
    )
    .optional()
    .describe('Each wrong place in what was sent'),
  hint: z.string().optional().describe('What can be done about it'),
})

export const JobTypesBody = z.strictObject({
  job_types: z.array(
    z.strictObject({
      type: z.string(),
      description: z.string().nullable(),
      parallel: z.boolean(),
      timeout_ms: z.int(),
      max_attempts: z.int(),
      backoff: z.strictObject({ base_ms: z.int(), max_ms: z.int() }),
      payload_schema: z.record(z.string(), z.unknown()),
      example: z.unknown(),
    }),
  ),
})

export const FairShareBody = z.strictObject({
  key: z.string().describe('Empty for jobs without one'),
  weight: z.number(),
  used_thread_ms: ms.describe('Thread time used of late: what lies an hour back counts half'),
  share: z.number().min(0).max(1).describe('Of what all keys have used of late'),
  entitled: z
    .number()
    .min(0)
    .max(1)
    .describe('Its weight among those of the keys that have used something of late'),
})

export const FairSharesBody = z.strictObject({ fair_shares: z.array(FairShareBody) })

export const WorkersBody = z.strictObject({
  workers: z.array(
    z.strictObject({
      name: z.string(),
      node_id: z.string(),
      node_name: z.string(),
      threads: z.int(),
      busy_threads: z.int(),
      job_ids: z.array(z.string().nullable()).describe('One entry per thread'),
    }),
  ),
})
