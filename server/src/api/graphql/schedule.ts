import type { ExplainReason } from '../../core/explain.ts'
import type { Reservation } from '../../core/plan.ts'
import type { Schedule } from '../../scheduler/insight.ts'
import { date, dateOrNull, describe, type Builder } from './builder.ts'
import type { JobRef } from './job.ts'

/** An answer simulates the queue: a query may ask for some fifty of them, not for a page of hundreds. */
const SCHEDULE_COST = 1000

/** Why a job waits and when it will start. */
export function addSchedule(builder: Builder, job: JobRef): void {
  const reason = builder.enumType('ScheduleReason', {
    description: 'What holds a queued job',
    values: describe<ExplainReason>({
      STARTS_NOW: 'Nothing: the next decision starts it',
      RESERVED: 'It is the next in order, and the reservation is its',
      NOT_ENOUGH_FREE_THREADS: 'No worker has as many threads free',
      WOULD_DELAY_HEAD: 'There is room, but using it could delay the job that is next in order',
      BEHIND_OTHERS: 'Jobs before it take the threads first',
      ANOTHER_NODE: 'Only a worker of another node can run it',
      NO_WORKER: 'No worker is running in the cluster',
    }),
  })
  const start = builder.objectRef<{ p50: number; p90: number }>('EstimatedStart').implement({
    description: 'It starts by p50 with even odds, and by p90 nine times in ten',
    fields: (t) => ({
      p50: t.field({ type: 'DateTime', resolve: ({ p50 }) => date(p50) }),
      p90: t.field({ type: 'DateTime', resolve: ({ p90 }) => date(p90) }),
    }),
  })
  const room = builder.objectRef<Schedule['workers'][number]>('WorkerRoom').implement({
    description: 'A worker of the node that answers, as it is now',
    fields: (t) => ({
      name: t.exposeString('name'),
      threads: t.exposeInt('threads'),
      freeThreads: t.exposeInt('free'),
    }),
  })
  const reservation = addReservation(builder)
  const schedule = builder.objectRef<Schedule>('JobSchedule').implement({
    description:
      'Why a job waits and when it is expected to start, by the node that answers: workers of others can only make it sooner',
    fields: (t) => ({
      position: t.exposeInt('position', {
        nullable: true,
        description: '1 for the next in order; null far back in the queue',
      }),
      reason: t.field({ type: reason, resolve: (parent) => parent.reason }),
      reasons: t.exposeStringList('reasons', { description: 'The same in plain sentences' }),
      ahead: t.idList({
        description: 'The jobs right before it, at most ten; the last is the next before it',
        resolve: (parent) => parent.ahead,
      }),
      width: t.exposeInt('width', { description: 'Threads it will be given, all at once' }),
      freeThreads: t.exposeInt('freeThreads', { description: 'Most that one worker has free' }),
      workers: t.field({ type: [room], resolve: (parent) => parent.workers }),
      reservation: t.field({
        type: reservation,
        nullable: true,
        resolve: (parent) => parent.reservation,
      }),
      estimatedStart: t.field({
        type: start,
        nullable: true,
        description: 'Null where it cannot run here, or too little is known to say',
        resolve: (parent) => parent.estimatedStart,
      }),
    }),
  })

  builder.objectFields(job, (t) => ({
    schedule: t.field({
      type: schedule,
      nullable: true,
      complexity: SCHEDULE_COST,
      description: 'Null but for queued jobs',
      resolve: (parent, _args, { scheduler }) => scheduler.insight.schedule(parent),
    }),
  }))
}

const addReservation = (builder: Builder) =>
  builder.objectRef<Reservation>('Reservation').implement({
    description: 'The promise of threads to the job that is next in order and does not fit yet',
    fields: (t) => ({
      jobId: t.exposeID('jobId'),
      workerName: t.exposeString('workerName'),
      width: t.exposeInt('width'),
      since: t.field({ type: 'DateTime', resolve: ({ since }) => date(since) }),
      startAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it starts by what is predicted now; null where that does not tell',
        resolve: ({ startAt }) => dateOrNull(startAt),
      }),
      promisedAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'The earliest start ever promised',
        resolve: ({ promisedAt }) => dateOrNull(promisedAt),
      }),
    }),
  })
