import type { Bus } from '../../bus/bus.ts'
import { HeddleError } from '../../core/errors.ts'
import type { Job } from '../../core/job.ts'
import type { JobFilter, Read } from '../../store/read.ts'
import type { Builder } from './builder.ts'
import { createFeed } from './feed.ts'
import { toFilter, type FilterRef } from './history.ts'
import { createJobBuffer } from './job-buffer.ts'
import type { JobNews } from './job-news.ts'
import { isEarlier, isSame } from './job-order.ts'
import type { JobRef } from './job.ts'
import type { Pace } from './pace.ts'

/** Jobs whose latest state is kept for a subscriber that does not read. */
const BUFFERED_JOBS = 1000
/** After this every change on its way when the job was read has long arrived. */
const JOINED_AFTER_MS = 5000

export function matches(job: Job, filter: JobFilter): boolean {
  return (
    (!filter.states || filter.states.includes(job.state)) &&
    (!filter.types || filter.types.includes(job.type)) &&
    (filter.minPriority === undefined || job.priority >= filter.minPriority) &&
    (filter.maxPriority === undefined || job.priority <= filter.maxPriority) &&
    (!filter.name || job.name.toLowerCase().includes(filter.name.toLowerCase()))
  )
}

export function addJobUpdated(builder: Builder, job: JobRef, filter: FilterRef): void {
  builder.subscriptionFields((t) => ({
    jobUpdated: t.field({
      type: job,
      description:
        'Each change of each matching job, in order. With an id, its present state comes first. ' +
        'A reader that falls far behind gets the latest state of each job, and so do all where jobs change faster ' +
        'than the server has time to tell: jobsUpdated is for those who watch many.',
      args: { id: t.arg.id(), filter: t.arg({ type: filter }) },
      subscribe: (_root, args, { bus, news, read, pace }) => {
        const wanted = toFilter(args.filter)
        const id = args.id ?? null
        return id === null
          ? watchJobs(bus, pace, wanted)
          : watchJob({ news, read, pace }, id.toLowerCase(), wanted)
      },
      resolve: (changed) => changed,
    }),
  }))
}

/** Every change of every job that matches. */
export function watchJobs(bus: Bus, pace: Pace, filter: JobFilter): AsyncIterableIterator<Job> {
  const buffer = createJobBuffer(BUFFERED_JOBS)
  const feed = createFeed({
    pace,
    take: () => buffer.take(),
    onClose: () => unsubscribe(),
  })
  const unsubscribe = bus.subscribe('jobs', (jobs) => {
    for (const job of jobs) if (matches(job, filter)) buffer.add(job)
    if (buffer.size > 0) feed.wake()
  })
  return feed.iterator
}

/**
 * One job: its present state, then every later change. It listens before it reads, so no change is
 * missed; what it hears is compared with what it read, so that none is told twice or in reverse. JOB_NOT_FOUND.
 */
export async function watchJob(
  { news, read, pace }: { news: JobNews; read: Pick<Read, 'job'>; pace: Pace },
  id: string,
  filter: JobFilter,
): Promise<AsyncIterableIterator<Job>> {
  const buffer = createJobBuffer(BUFFERED_JOBS)
  const early: Job[] = []
  /** the last state that is known; null until it has been read */
  let latest: Job | null = null
  let joinedUntil = -Infinity

  const tell = (job: Job): void => {
    latest = job
    if (!matches(job, filter)) return
    buffer.add(job)
    feed.wake()
  }
  const isKnown = (job: Job): boolean =>
    latest !== null && (isSame(job, latest) || isEarlier(job, latest))
  const changed = (job: Job): void => {
    if (latest === null) return void early.push(job)
    if (performance.now() < joinedUntil && isKnown(job)) return
    joinedUntil = -Infinity
    tell(job)
  }
  const found = (job: Job): void => {
    if (isKnown(job)) return
    joinedUntil = performance.now() + JOINED_AFTER_MS
    tell(job)
  }
  const feed = createFeed({
    pace,
    take: () => buffer.take(),
    onClose: () => unsubscribe(),
  })
  const unsubscribe = news.subscribe(id, { changed, found })

  try {
    const present = await read.job(id)
    if (!present) throw new HeddleError('JOB_NOT_FOUND', `No job has the id ${id}`)
    found(present)
    for (const job of early) changed(job)
    return feed.iterator
  } catch (error) {
    feed.close()
    throw error
  }
}
