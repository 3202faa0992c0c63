import type { ClusterNode } from './cluster-node.ts'
import { sleep, type Postgres, type Service } from './services.ts'

export interface FaultLog {
  kind: string
  target: string
  at: number
  lastedMs: number
}

export interface Targets {
  nodes: ClusterNode[]
  postgres: Postgres
  redis: Service
  leaseMs: number
  random(): number
}

type Fault = (targets: Targets) => Promise<string>

const pick = <T>(items: readonly T[], random: () => number): T => {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

const kinds: Record<string, { weight: number; cause: Fault }> = {
  'kill -9': {
    weight: 4,
    async cause({ nodes, random }) {
      const node = pick(nodes, random)
      await node.kill()
      await sleep(500 + random() * 2000)
      await node.start()
      return node.name
    },
  },
  'freeze past the lease': {
    weight: 2,
    async cause({ nodes, leaseMs, random }) {
      const node = pick(nodes, random)
      node.freeze()
      await sleep(leaseMs * 1.5)
      node.thaw()
      return node.name
    },
  },
  'freeze within the lease': {
    weight: 1,
    async cause({ nodes, leaseMs, random }) {
      const node = pick(nodes, random)
      node.freeze()
      await sleep(leaseMs * 0.3)
      node.thaw()
      return node.name
    },
  },
  'cut off': {
    weight: 2,
    async cause({ nodes, leaseMs, random }) {
      const node = pick(nodes, random)
      node.cutOff()
      await sleep(leaseMs * 1.8)
      node.mend()
      return node.name
    },
  },
  'rolling restart': {
    weight: 1,
    async cause({ nodes, random }) {
      const node = pick(nodes, random)
      await node.stop()
      await node.start()
      return node.name
    },
  },
  'end all connections': {
    weight: 1,
    async cause({ postgres }) {
      await postgres.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
      )
      return 'PostgreSQL'
    },
  },
  'restart PostgreSQL': {
    weight: 1,
    async cause({ postgres, random }) {
      await postgres.restart(random() * 1500)
      return 'PostgreSQL'
    },
  },
  'restart Redis': {
    weight: 2,
    async cause({ redis, random }) {
      await redis.restart(random() * 3000)
      return 'Redis'
    },
  },
}

/** The same number of each kind in every run, in an order of chance. */
function schedule(count: number, random: () => number): string[] {
  const total = Object.values(kinds).reduce((sum, { weight }) => sum + weight, 0)
  const list = Object.entries(kinds).flatMap(([kind, { weight }]) =>
    Array.from({ length: Math.max(1, Math.round((weight / total) * count)) }, () => kind),
  )
  return list
    .map((kind) => ({ kind, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ kind }) => kind)
    .slice(0, count)
}

/** About how long one fault takes, with the pause before it. */
export const meanFaultMs = (leaseMs: number): number => 3_000 + leaseMs * 0.7

/** One fault after the other, with time between them for the cluster to be healthy. */
export async function causeFaults(
  count: number,
  targets: Targets,
  tell: (fault: FaultLog) => void,
): Promise<void> {
  for (const kind of schedule(count, targets.random)) {
    await sleep(300 + targets.random() * 1500)
    const at = Date.now()
    const target = (await kinds[kind]?.cause(targets)) ?? ''
    tell({ kind, target, at, lastedMs: Date.now() - at })
  }
}
