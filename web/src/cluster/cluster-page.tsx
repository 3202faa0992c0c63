import { useSubscription } from 'urql'
import { WorkersNow } from '../graphql/fields.ts'
import { EmptyState, PageHead, Panel } from '../ui/controls.tsx'
import { useTitle } from '../ui/use-title.ts'
import { FairShares } from './fair-shares.tsx'
import type { WorkerNow } from './gangs.ts'
import { WorkerLane } from './worker-lane.tsx'
import './cluster-page.css'

function byNode(workers: WorkerNow[]): [string, WorkerNow[]][] {
  const nodes = new Map<string, WorkerNow[]>()
  for (const worker of workers) {
    nodes.set(worker.nodeId, [...(nodes.get(worker.nodeId) ?? []), worker])
  }
  return [...nodes]
}

/** Every thread of every worker, and the job that has it. */
export function ClusterPage() {
  useTitle('Cluster')
  const [{ data }] = useSubscription({ query: WorkersNow })
  const workers = data?.workersUpdated
  const threads = workers?.reduce((sum, { threadCount }) => sum + threadCount, 0) ?? 0
  const busy = workers?.reduce((sum, { busyThreads }) => sum + busyThreads, 0) ?? 0
  return (
    <>
      <PageHead
        title="Cluster"
        lead={
          threads === 0
            ? 'Nodes, their workers and threads.'
            : `${busy} of ${threads} threads busy.`
        }
      />
      {workers === undefined || workers.length === 0 ? (
        <Panel>
          <EmptyState title={workers ? 'No worker' : 'Asking for the workers'}>
            {workers && <p>Jobs are accepted, and wait until a node with a worker is started.</p>}
          </EmptyState>
        </Panel>
      ) : (
        byNode(workers).map(([nodeId, own]) => (
          <Panel
            key={nodeId}
            title={own[0]?.nodeName ?? nodeId}
            actions={<code className="node-id">{nodeId}</code>}
          >
            <div className="lanes">
              {own.map((worker) => (
                <WorkerLane key={worker.id} worker={worker} />
              ))}
            </div>
          </Panel>
        ))
      )}
      <FairShares />
    </>
  )
}
