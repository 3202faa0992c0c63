import type { WorkerView } from '../core/job.ts'
import { heldBy } from './lease.ts'
import type { Store } from './open.ts'
import { run, type Statement } from './run.ts'

export interface NodeView {
  /** of this incarnation */
  id: string
  name: string
  roles: string[]
  workers: WorkerView[]
  /** threads of its largest worker; 0 for a node that only answers people */
  maxThreads: number
  startedAt: number
  heartbeatAt: number
}

const register: Statement = {
  text: `INSERT INTO node (id, name, roles, workers, max_threads, started_at, heartbeat_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET workers = excluded.workers, heartbeat_at = excluded.heartbeat_at`,
}

/** From here on jobs can be claimed under this id. STORE_UNAVAILABLE; registering again is safe. */
export async function registerNode(
  { pool }: Store,
  node: Pick<NodeView, 'id' | 'name' | 'roles' | 'workers' | 'maxThreads'>,
): Promise<void> {
  const { id, name, roles, workers, maxThreads } = node
  await run(pool, register, [id, name, roles, JSON.stringify(workers), maxThreads])
}

// The node stands beside `heldBy` once more for the index of jobs to be cancelled, which nearly none is in. Of the one
// that has all running jobs, those that ended since the last vacuum would have to be looked at as well.
const beat: Statement = {
  name: 'heartbeat',
  text: `WITH beat AS (
    UPDATE node SET heartbeat_at = clock_timestamp(), workers = $2 WHERE id = $1 RETURNING id
  )
  SELECT EXISTS (SELECT 1 FROM beat) AS alive, ARRAY(
    SELECT id::text FROM job WHERE cancel_requested_at IS NOT NULL AND ${heldBy('$1')} AND node_id = $1
  ) AS cancelling`,
}

/**
 * Renews the leases of all jobs of a node. `alive: false` says that it was declared dead and its jobs are
 * others' now; `cancelling` are its running jobs that somebody wants stopped. STORE_UNAVAILABLE.
 */
export async function heartbeat(
  { hot }: Store,
  node: Pick<NodeView, 'id' | 'workers'>,
): Promise<{ alive: boolean; cancelling: string[] }> {
  const [row] = await run<{ alive: boolean; cancelling: string[] }>(hot, beat, [
    node.id,
    JSON.stringify(node.workers),
  ])
  return row ?? { alive: false, cancelling: [] }
}

/** Signs off. Jobs still under its lease are rescued by the next pass of anyone. STORE_UNAVAILABLE. */
export async function removeNode({ pool }: Store, id: string): Promise<void> {
  await run(pool, { text: 'DELETE FROM node WHERE id = $1' }, [id])
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000'
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
// One statement for what every node asks every few seconds for as long as it lives. With no node at all
// there still is a row, of nulls. Running jobs of no node are looked for between the nodes, in the index that has
// all by their node: of those that do run, and of the many that did since the last vacuum, none is touched.
const surroundings: Statement = {
  name: 'surroundings',
  text: `WITH live AS (
      SELECT * FROM node WHERE heartbeat_at > clock_timestamp() - $1 * interval '1 ms'
    ), lost AS (
      SELECT EXISTS (SELECT 1 FROM node WHERE heartbeat_at <= clock_timestamp() - $1 * interval '1 ms')
        OR EXISTS (
          SELECT 1 FROM (
            SELECT id AS from_id, lead(id, 1, '${LAST_ID}') OVER (ORDER BY id) AS to_id
            FROM (SELECT id FROM node UNION ALL SELECT '${FIRST_ID}') AS ids
          ) AS gap CROSS JOIN LATERAL (
            SELECT 1 FROM job WHERE state = 'RUNNING' AND node_id > from_id AND node_id < to_id LIMIT 1
          ) AS orphan
        ) AS any_lost
    )
    SELECT id, name, roles, workers, max_threads, date_part('epoch', started_at) * 1e3 AS started_ms,
      date_part('epoch', heartbeat_at) * 1e3 AS heartbeat_ms, any_lost,
      date_part('epoch', clock_timestamp() - heartbeat_at) * 1e3 AS silent_ms
    FROM lost LEFT JOIN live ON true ORDER BY name, id`,
}

/**
 * Nodes that were heard of within `leaseMs`, the time in ms since the most silent of them was, and whether
 * there is something for `rescueLost` to do. STORE_UNAVAILABLE.
 */
export async function lookAround(
  { pool }: Store,
  leaseMs: number,
): Promise<{ nodes: NodeView[]; silentMs: number; anyLost: boolean }> {
  const rows = await run<{
    id: string | null
    name: string
    roles: string[]
    workers: WorkerView[]
    max_threads: number
    started_ms: number
    heartbeat_ms: number
    any_lost: boolean
    silent_ms: number | null
  }>(pool, surroundings, [leaseMs])
  const nodes = rows.flatMap(({ id, ...row }) =>
    id === null
      ? []
      : {
          id,
          name: row.name,
          roles: row.roles,
          workers: row.workers,
          maxThreads: row.max_threads,
          startedAt: row.started_ms,
          heartbeatAt: row.heartbeat_ms,
        },
  )
  return {
    nodes,
    silentMs: Math.max(0, ...rows.map((row) => row.silent_ms ?? 0)),
    anyLost: rows[0]?.any_lost ?? false,
  }
}
