import type { Job, QueuedJob } from '../core/job.ts'
import type { Store } from './open.ts'
import type { Ranked } from '../core/rank.ts'
import { queuedColumns, toQueuedJob, type QueuedRow } from './rows.ts'
import { run, runTuples, type Statement } from './run.ts'
import { toWaitingJob, waitingColumns, type WaitingRow } from './waiting-rows.ts'

export interface PeekOptions {
  limit: number
  /** threads of this node's largest worker */
  maxGang: number
  /** threads of the largest worker of any live node */
  clusterMaxGang: number
  /** types this node can run; all of them where not given */
  types?: string[]
  /** only those that rank behind this one */
  after?: Ranked | null
}

const peek = (name: string, columns: string, further = ''): Statement => ({
  name,
  text: `SELECT ${columns} FROM job
    WHERE state = 'QUEUED' AND (gang <= $2 OR gang > $3) AND ($4::text[] IS NULL OR type = ANY($4))
      ${further}
    ORDER BY rank, id LIMIT $1`,
})
const peekWaiting = peek('peek', waitingColumns)
// A statement of its own, so that the walk over the index begins there: behind the entries of jobs that
// have left, which stay until the next vacuum.
const peekFurther = peek('peek-after', waitingColumns, 'AND (rank, id) > ($5::float8, $6::uuid)')
const peekToSimulate = peek('peek-queued', queuedColumns)

const values = ({ limit, maxGang, clusterMaxGang, types }: PeekOptions): unknown[] => [
  limit,
  maxGang,
  clusterMaxGang,
  types ?? null,
]

/**
 * The best-ranked jobs in the queue that this node could start: those that fit its largest worker, and
 * those that fit no worker of the cluster and so run on one thread. STORE_UNAVAILABLE.
 */
export async function peekJobs(store: Store, options: PeekOptions): Promise<Job[]> {
  const { after } = options
  const rows = after
    ? await runTuples<WaitingRow>(store.pool, peekFurther, [
        ...values(options),
        after.rank,
        after.id,
      ])
    : await runTuples<WaitingRow>(store.pool, peekWaiting, values(options))
  return rows.map(toWaitingJob)
}

/** The same with no more of each than a plan needs, for those who look at very many. STORE_UNAVAILABLE. */
export async function peekQueued(store: Store, options: PeekOptions): Promise<QueuedJob[]> {
  const rows = await run<QueuedRow>(store.pool, peekToSimulate, values(options))
  return rows.map(toQueuedJob)
}
