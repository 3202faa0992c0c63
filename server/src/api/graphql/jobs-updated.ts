import type { Bus } from '../../bus/bus.ts'
import type { Job } from '../../core/job.ts'
import type { JobFilter } from '../../store/read.ts'
import { PAGE } from '../context.ts'
import type { Builder } from './builder.ts'
import { createPeriodicFeed } from './feed.ts'
import { toFilter, type FilterRef } from './history.ts'
import { matches } from './job-updated.ts'
import type { JobRef } from './job.ts'
import type { Pace } from './pace.ts'

/** A page renders no more often than this. */
const PERIOD_MS = 200
/** Jobs in one message: as many as there are on the longest page of a list. */
const MAX_JOBS = PAGE.max

/** What has changed since the message before. */
export interface JobChanges {
  jobs: Job[]
  incomplete: boolean
}

export function addJobsUpdated(builder: Builder, job: JobRef, filter: FilterRef): void {
  const changes = builder.objectRef<JobChanges>('JobChanges').implement({
    description: 'What has changed since the message before',
    fields: (t) => ({
      jobs: t.field({
        type: [job],
        complexity: { multiplier: MAX_JOBS },
        description: `The latest state of each job, ${MAX_JOBS} at most`,
        resolve: ({ jobs }) => jobs,
      }),
      incomplete: t.exposeBoolean('incomplete', {
        description: 'More may have changed than is told: what is shown has to be read anew',
      }),
    }),
  })
  builder.subscriptionFields((t) => ({
    jobsUpdated: t.field({
      type: changes,
      description:
        'Changes of matching jobs, as many together as there are, five times a second at most: for who shows many. ' +
        'The first message comes at once and is incomplete: who reads the jobs then misses nothing. ' +
        'jobUpdated tells each change by itself',
      args: { filter: t.arg({ type: filter }) },
      subscribe: (_root, args, { bus, pace }) => watchChanges(bus, pace, toFilter(args.filter)),
      resolve: (changed) => changed,
    }),
  }))
}

export function watchChanges(
  bus: Bus,
  pace: Pace,
  filter: JobFilter,
): AsyncIterableIterator<JobChanges> {
  let changed = new Map<string, Job>()
  // Of what changed before this: whoever reads when it is told misses nothing.
  let incomplete = true
  const feed = createPeriodicFeed<JobChanges>(PERIOD_MS, {
    pace,
    take() {
      if (changed.size === 0 && !incomplete) return undefined
      const told = { jobs: [...changed.values()], incomplete }
      changed = new Map()
      incomplete = false
      return told
    },
    onClose() {
      for (const off of unsubscribe) off()
    },
  })
  const add = (job: Job): void => {
    if (!matches(job, filter)) return
    if (changed.size < MAX_JOBS || changed.has(job.id)) changed.set(job.id, job)
    else incomplete = true
  }
  const unsubscribe = [
    bus.subscribe('jobs', (jobs) => {
      // Whoever has to read anew gains nothing from more: any number of readers cost next to nothing then.
      if (incomplete) return
      for (const job of jobs) add(job)
      feed.wake()
    }),
    // The queue changed without a word of which jobs: put there by SQL, or while nodes could not be heard.
    bus.subscribe('wake', ({ nodeId }) => {
      if (nodeId !== null) return
      incomplete = true
      feed.wake()
    }),
  ]
  return feed.iterator
}
