import { HeddleError, type Issue } from '../../core/errors.ts'
import { PRIORITY, THREAD_DEMAND, type Job } from '../../core/job.ts'
import { MAX_BATCH, type ApiServices } from '../context.ts'
import type { Builder } from './builder.ts'
import type { JobRef } from './job.ts'
import type { PayloadInputs } from './payload-inputs.ts'

type Given = Record<string, unknown>

interface Request {
  request: Given
  /** the typed payload's field, where one was given */
  field: string | null
}

/** Mutations: submit, cancel, retry. */
export function addSubmit(builder: Builder, job: JobRef, payloads: PayloadInputs | null): void {
  const input = addSubmitInput(builder, payloads)
  const list = ({ length }: { length: number }) => ({ multiplier: Math.max(1, length) })

  builder.mutationFields((t) => ({
    submitJob: t.field({
      type: job,
      description: 'Answers when the job is committed',
      args: { input: t.arg({ type: input, required: true }) },
      resolve: async (_root, args, { scheduler }) => {
        const [submitted] = await submit(scheduler, [toRequest(args.input, payloads, [])], true)
        if (!submitted) throw new Error('a submission of one job gave none back')
        return submitted
      },
    }),
    submitJobs: t.field({
      type: [job],
      description: `Up to ${MAX_BATCH} jobs: all are accepted, or none is`,
      args: { inputs: t.arg({ type: [input], required: true }) },
      complexity: ({ inputs }) => list(inputs),
      resolve: (_root, { inputs }, { scheduler }) => {
        checkBatch('inputs', inputs)
        const requests = inputs.map((given, index) => toRequest(given, payloads, [index]))
        return submit(scheduler, requests, false)
      },
    }),
    cancelJob: t.field({
      type: job,
      description: 'A running job is told to stop, and ends shortly after',
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, { scheduler }) => {
        const [cancelled] = await scheduler.cancel([id])
        if (!cancelled) throw new HeddleError('JOB_NOT_FOUND', `No job has the id ${id}`)
        return cancelled
      },
    }),
    cancelJobs: t.field({
      type: [job],
      args: { ids: t.arg.idList({ required: true }) },
      complexity: ({ ids }) => list(ids),
      resolve: (_root, { ids }, { scheduler }) => {
        checkBatch('ids', ids)
        return scheduler.cancel(ids)
      },
    }),
    retryJob: t.field({
      type: job,
      description: 'Puts an ended job back in the queue, under the same id',
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { scheduler }) => scheduler.retry(id),
    }),
  }))
}

function addSubmitInput(builder: Builder, payloads: PayloadInputs | null) {
  const backoff = builder.inputType('BackoffInput', {
    description: 'The wait before a retry doubles from baseMs up to maxMs, with jitter',
    fields: (t) => ({ baseMs: t.int({ required: true }), maxMs: t.int({ required: true }) }),
  })
  const threads = builder.inputType('ThreadsInput', {
    description:
      'For a job that can run on any number of threads in a range: min (1 unless told) ≤ preferred ≤ max (preferred unless told)',
    fields: (t) => ({ min: t.int(), preferred: t.int({ required: true }), max: t.int() }),
  })
  return builder.inputType('SubmitJobInput', {
    fields: (t) => ({
      name: t.string({ description: "The type's name unless told" }),
      type: t.string({ description: 'Needed with payload; a typed payload tells it itself' }),
      payload: t.field({ type: 'JSON' }),
      ...(payloads ? { typedPayload: t.field({ type: payloads.type }) } : {}),
      priority: t.int({
        description: `From ${PRIORITY.min} to ${PRIORITY.max}, higher first; ${PRIORITY.default} unless told`,
      }),
      threadDemand: t.int({
        description: `Threads it needs at once, ${THREAD_DEMAND.min} to ${THREAD_DEMAND.max}; ${THREAD_DEMAND.default} unless told`,
      }),
      threads: t.field({ type: threads, description: 'In place of threadDemand' }),
      expectedMs: t.int({
        description:
          'Run time you expect: used to plan while nothing is learnt of jobs like it, or where it proves right',
      }),
      maxAttempts: t.int(),
      timeoutMs: t.int({ description: 'Time limit of one attempt' }),
      // Ten years in ms do not fit an Int.
      delayMs: t.float({ description: 'Start no earlier than this long from now' }),
      runAt: t.field({ type: 'DateTime', description: 'Start no earlier than this' }),
      fairnessKey: t.string({
        description: 'Whose share of the threads it uses, where FAIR_SHARE is on',
      }),
      idempotencyKey: t.string({
        description: 'A second submission with the same key gives the first job back',
      }),
      backoff: t.field({ type: backoff }),
    }),
  })
}

function checkBatch(argument: string, { length }: { length: number }): void {
  if (length >= 1 && length <= MAX_BATCH) return
  const message = `must have 1 to ${MAX_BATCH} items, not ${length}`
  throw new HeddleError('INVALID_ARGUMENT', `${argument} ${message}`, {
    issues: [{ path: [argument], message }],
  })
}

/** What the scheduler takes: a typed payload becomes a type and a payload. INVALID_JOB. */
function toRequest(given: Given, payloads: PayloadInputs | null, at: Issue['path']): Request {
  const { typedPayload, ...request } = given
  if (typedPayload === undefined || typedPayload === null) {
    if (typeof request.type === 'string') return { request, field: null }
    throw refused([...at, 'type'], 'type is needed, or typedPayload in its place')
  }
  if (request.payload !== undefined && request.payload !== null) {
    throw refused([...at, 'payload'], 'give payload or typedPayload, not both')
  }
  const typed = payloads?.read(typedPayload as Given)
  if (!typed) throw refused([...at, 'typedPayload'], 'names no job type')
  if (typeof request.type === 'string' && request.type !== typed.type) {
    throw refused(
      [...at, 'type'],
      `is "${request.type}", but the typed payload is for "${typed.type}"`,
    )
  }
  const { type, payload, field } = typed
  return { request: { ...request, type, payload }, field }
}

const refused = (path: Issue['path'], message: string): HeddleError =>
  new HeddleError('INVALID_JOB', `The job was refused: ${message}`, { issues: [{ path, message }] })

/** Issues lead to where the caller wrote: under typedPayload, if the payload stood there. */
async function submit(
  scheduler: ApiServices['scheduler'],
  requests: Request[],
  single: boolean,
): Promise<Job[]> {
  try {
    return await scheduler.submit(requests.map(({ request }) => request))
  } catch (error) {
    if (!(error instanceof HeddleError) || error.issues.length === 0) throw error
    const issues = error.issues.map(({ path, message }) => {
      const indexed = requests.length > 1
      const index = indexed ? Number(path[0]) : 0
      const rest = indexed ? path.slice(1) : path
      const field = requests[index]?.field
      const inside =
        field && rest[0] === 'payload' ? ['typedPayload', field, ...rest.slice(1)] : rest
      return { message, path: single ? inside : [index, ...inside] }
    })
    const { hint, retryAfterMs, cause } = error
    throw new HeddleError(error.code, error.message, {
      issues,
      ...(hint === undefined ? {} : { hint }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(cause === undefined ? {} : { cause }),
    })
  }
}
