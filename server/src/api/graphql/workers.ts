import type { WorkerView } from '../../core/job.ts'
import type { Builder } from './builder.ts'
import type { JobRef } from './job.ts'
import { watchWorkers } from './watch-workers.ts'

interface Thread {
  index: number
  jobId: string | null
}

/** A dashboard redraws no faster than this. */
const WORKERS_PERIOD_MS = 250

/** Workers and their threads, of the whole cluster. */
export function addWorkers(builder: Builder, job: JobRef): void {
  const thread = builder.objectRef<Thread>('WorkerThread').implement({
    fields: (t) => ({
      index: t.exposeInt('index'),
      busy: t.boolean({ resolve: ({ jobId }) => jobId !== null }),
      jobId: t.exposeID('jobId', { nullable: true }),
      job: t.field({
        type: job,
        nullable: true,
        resolve: ({ jobId }, _args, { read }) => (jobId === null ? null : read.job(jobId)),
      }),
    }),
  })
  const worker = builder.objectRef<WorkerView>('Worker').implement({
    description: 'A named set of threads on one node',
    fields: (t) => ({
      id: t.id({
        description: "The node's id and the worker's name",
        resolve: ({ nodeId, name }) => `${nodeId}:${name}`,
      }),
      name: t.exposeString('name'),
      nodeId: t.exposeID('nodeId'),
      nodeName: t.exposeString('nodeName'),
      threads: t.field({
        type: [thread],
        resolve: ({ busy }) => busy.map((jobId, index) => ({ index, jobId })),
      }),
      threadCount: t.exposeInt('threads'),
      busyThreads: t.int({
        resolve: ({ busy }) => busy.filter((jobId) => jobId !== null).length,
      }),
    }),
  })

  builder.queryFields((t) => ({
    workers: t.field({
      type: [worker],
      description: 'Workers of the whole cluster',
      resolve: async (_root, _args, { scheduler }) => [...(await scheduler.workers())],
    }),
  }))
  builder.subscriptionFields((t) => ({
    workersUpdated: t.field({
      type: [worker],
      description: 'Workers of the whole cluster: now, and on change, at most four times a second',
      subscribe: (_root, _args, { bus, pace }) => watchWorkers(bus, pace, WORKERS_PERIOD_MS),
      resolve: async (_tick, _args, { scheduler }) => [...(await scheduler.workers())],
    }),
  }))
}
