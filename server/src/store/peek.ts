import type { QueuedJob } from '../core/job.ts'
import type { Store } from './open.ts'
import { queuedColumns, toQueuedJob, type QueuedRow } from './rows.ts'
import { run, type Statement } from './run.ts'

export interface PeekOptions {
  limit: number
  /** threads of this node's largest worker */
  maxGang: number
  /** threads of the largest worker of any live node */
  clusterMaxGang: number
  /** types this node can run; all of them where not given */
  types?: string[]
}

const peek: Statement = {
  name: 'peek',
  text: `SELECT ${queuedColumns} FROM job
    WHERE state = 'QUEUED' AND (gang <= $2 OR gang > $3) AND ($4::text[] IS NULL OR type = ANY($4))
    ORDER BY rank, id LIMIT $1`,
}

/**
 * The best-ranked jobs in the queue that this node could start: those that fit its largest worker, and
 * those that fit no worker of the cluster and so run on one thread. STORE_UNAVAILABLE.
 */
export async function peekQueued(store: Store, options: PeekOptions): Promise<QueuedJob[]> {
  const { limit, maxGang, clusterMaxGang, types = null } = options
  const rows = await run<QueuedRow>(store.pool, peek, [limit, maxGang, clusterMaxGang, types])
  return rows.map(toQueuedJob)
}
