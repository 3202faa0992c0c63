import type { InterfaceRef, ObjectRef } from '@pothos/core'
import {
  threadRange,
  type Attempt,
  type Job,
  type JobError,
  type ThreadRange,
} from '../../core/job.ts'
import { date, dateOrNull, type Builder, type Enums, type SchemaTypes } from './builder.ts'

const parse = (text: string | null | undefined): unknown =>
  text === null || text === undefined ? null : JSON.parse(text)

/** The Job, its parts, and the two ways to ask for one by id. */
export function addJob(builder: Builder, enums: Enums): JobRef {
  const node = builder.interfaceRef<Job>('Node').implement({
    description: 'Anything with an id of its own',
    fields: (t) => ({ id: t.exposeID('id') }),
    resolveType: () => 'Job',
  })
  const error = addJobError(builder)
  const attempt = addAttempt(builder, error)
  const threads = builder.objectRef<ThreadRange>('ThreadRange').implement({
    fields: (t) => ({
      min: t.exposeInt('min'),
      preferred: t.exposeInt('preferred'),
      max: t.exposeInt('max'),
    }),
  })

  const job = builder.objectRef<Job>('Job').implement({
    description:
      'One piece of work. Its id is the same through every door; Query.node takes it too',
    interfaces: [node],
    fields: (t) => ({
      name: t.exposeString('name'),
      type: t.exposeString('type'),
      priority: t.exposeInt('priority', { description: 'Higher runs first' }),
      threadDemand: t.exposeInt('threadDemand', { description: 'Threads asked for' }),
      threads: t.field({
        type: threads,
        nullable: true,
        description: 'Of a job that may run on any number in a range; null for a fixed demand',
        resolve: threadRange,
      }),
      expectedMs: t.exposeInt('expectedMs', {
        nullable: true,
        description: 'Run time the submitter expects',
      }),
      fairnessKey: t.exposeString('fairnessKey', {
        nullable: true,
        description: 'Whose share of the threads it uses',
      }),
      width: t.exposeInt('width', {
        nullable: true,
        description: 'Threads it was given; null until it first starts',
      }),
      widthReason: t.field({
        type: enums.widthReason,
        nullable: true,
        resolve: (parent) => parent.widthReason,
      }),
      state: t.field({ type: enums.state, resolve: (parent) => parent.state }),
      error: t.field({ type: error, nullable: true, resolve: (parent) => parent.error }),
      progress: t.exposeFloat('progress', { nullable: true, description: 'From 0 to 1' }),
      attempt: t.exposeInt('attempt', { description: '0 until it first starts' }),
      maxAttempts: t.exposeInt('maxAttempts'),
      attempts: t.field({
        type: [attempt],
        complexity: { multiplier: 3 },
        description: 'Executions that have ended',
        resolve: (parent) => parent.attempts,
      }),
      timeoutMs: t.exposeInt('timeoutMs', {
        nullable: true,
        description: 'Time limit of one attempt',
      }),
      workerName: t.exposeString('workerName', { nullable: true }),
      nodeId: t.exposeID('nodeId', { nullable: true }),
      cancelRequested: t.exposeBoolean('cancelRequested'),
    }),
  })

  addDocuments(builder, job)
  addTimes(builder, job)
  addJobQueries(builder, node, job)
  return job
}

export type JobRef = ObjectRef<SchemaTypes, Job>

const addJobError = (builder: Builder) =>
  builder.objectRef<JobError>('JobError').implement({
    fields: (t) => ({
      name: t.exposeString('name'),
      message: t.exposeString('message'),
      stack: t.exposeString('stack', { nullable: true }),
      code: t.exposeString('code', {
        nullable: true,
        description: 'e.g. TIMEOUT, OUT_OF_MEMORY, THREAD_EXIT, NODE_LOST, or a Node error code',
      }),
    }),
  })

const addAttempt = (builder: Builder, error: ReturnType<typeof addJobError>) =>
  builder.objectRef<Attempt>('Attempt').implement({
    description: 'One ended execution of a job',
    fields: (t) => ({
      number: t.exposeInt('number'),
      nodeId: t.exposeID('nodeId'),
      workerName: t.exposeString('workerName', { nullable: true }),
      startedAt: t.field({ type: 'DateTime', resolve: (parent) => date(parent.startedAt) }),
      finishedAt: t.field({ type: 'DateTime', resolve: (parent) => date(parent.finishedAt) }),
      error: t.field({ type: error, nullable: true, resolve: (parent) => parent.error }),
    }),
  })

/** Large, so read from the store only where a query asks for them. */
function addDocuments(builder: Builder, job: JobRef): void {
  builder.objectFields(job, (t) => ({
    payload: t.field({
      type: 'JSON',
      // A job trimmed from history between the two reads has nothing left to show.
      nullable: false,
      complexity: 5,
      resolve: async ({ id }, _args, { documents }) =>
        parse((await documents.load(id))?.payload) ?? {},
    }),
    result: t.field({
      type: 'JSON',
      nullable: true,
      complexity: 5,
      resolve: async ({ id, state }, _args, { documents }) =>
        state === 'COMPLETED' ? parse((await documents.load(id))?.result) : null,
    }),
  }))
}

function addTimes(builder: Builder, job: JobRef): void {
  builder.objectFields(job, (t) => ({
    createdAt: t.field({ type: 'DateTime', resolve: (parent) => date(parent.createdAt) }),
    runAt: t.field({
      type: 'DateTime',
      description: 'Not before',
      resolve: (parent) => date(parent.runAt),
    }),
    startedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (parent) => dateOrNull(parent.startedAt),
    }),
    finishedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (parent) => dateOrNull(parent.finishedAt),
    }),
    queueTimeMs: t.exposeFloat('queueTimeMs', {
      nullable: true,
      description: 'From runAt to the start',
    }),
    executionTimeMs: t.exposeFloat('executionTimeMs', {
      nullable: true,
      description: 'From the start to the end',
    }),
    totalTimeMs: t.exposeFloat('totalTimeMs', {
      nullable: true,
      description: 'From createdAt to the end',
    }),
  }))
}

function addJobQueries(builder: Builder, node: InterfaceRef<SchemaTypes, Job>, job: JobRef): void {
  builder.queryFields((t) => ({
    node: t.field({
      type: node,
      nullable: true,
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { read }) => read.job(id),
    }),
    job: t.field({
      type: job,
      nullable: true,
      description: 'Active or ended; null where nobody knows the id',
      args: { id: t.arg.id({ required: true }) },
      resolve: (_root, { id }, { read }) => read.job(id),
    }),
  }))
}
