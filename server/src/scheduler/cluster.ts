import type { Bus } from '../bus/bus.ts'
import type { WorkerView } from '../core/job.ts'
import type { Worker } from '../workers/worker.ts'
import type { Membership } from './membership.ts'

/** At most this often a node tells which of its threads are busy. */
const TELL_MS = 250

/** Who runs what, over all nodes: own workers as they are now, others' as they last told. */
export interface Cluster {
  own(): WorkerView[]
  all(): WorkerView[]
  /** own threads changed */
  changed(): void
  stop(): void
}

export interface ClusterOptions {
  bus: Bus
  nodeName: string
  workers: Iterable<Worker>
  /** a function: membership itself asks for the own workers */
  membership(): Membership
}

export function createCluster({ bus, nodeName, workers, membership }: ClusterOptions): Cluster {
  const told = new Map<string, WorkerView[]>()
  let timer: NodeJS.Timeout | undefined

  const unsubscribe = bus.subscribe('workers', ({ nodeId, workers: views }) => {
    if (nodeId === membership().leaseId()) return
    // A node that has just come may be large enough for what nobody could run before.
    if (!told.has(nodeId)) membership().lookAround()
    told.set(nodeId, views)
  })
  const own = (): WorkerView[] =>
    [...workers].map((worker) => ({
      nodeId: membership().leaseId(),
      nodeName,
      name: worker.name,
      threads: worker.threads,
      busy: worker.busy(),
    }))
  const tell = (): void => {
    timer = undefined
    bus.publish('workers', { nodeId: membership().leaseId(), workers: own() })
  }

  return {
    own,
    all() {
      const others = membership().others()
      const live = new Set(others.map((node) => node.id))
      for (const id of told.keys()) if (!live.has(id)) told.delete(id)
      // What came by the bus is fresher than what the last heartbeat left in the table.
      return [...own(), ...others.flatMap((node) => told.get(node.id) ?? node.workers)]
    },
    changed: () => void (timer ??= setTimeout(tell, TELL_MS)),
    stop() {
      clearTimeout(timer)
      unsubscribe()
    },
  }
}
