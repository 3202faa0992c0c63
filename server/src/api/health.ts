import { Hono } from 'hono'
import type { ApiServices } from './context.ts'

const PROBE_MS = 2000

/** Liveness, readiness and metrics, for whoever watches the process. */
export function createHealth(services: ApiServices) {
  const health = new Hono()
  health.get('/healthz', (c) => c.json({ status: 'ok' }))
  health.get('/readyz', async (c) => {
    const stopping = !services.scheduler.accepting()
    const store = (await storeAnswers(services)) ? 'ok' : 'unavailable'
    const bus = services.bus.healthy() ? 'ok' : 'degraded'
    const ready = !stopping && store === 'ok'
    return c.json(
      { status: ready ? 'ready' : 'not ready', store, bus, stopping },
      ready ? 200 : 503,
    )
  })
  return health
}

/** A database that hangs is as far away as one that refuses. */
async function storeAnswers({ read }: ApiServices): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), PROBE_MS)
  })
  const answer = read.counts().then(
    () => true,
    () => false,
  )
  const answered = await Promise.race([answer, late])
  clearTimeout(timer)
  return answered
}

interface Series {
  name: string
  type: 'gauge' | 'counter'
  help: string
  values: [labels: string, value: number][]
}

/** Prometheus text format. Counters are this node's; job counts are the cluster's. */
export async function metricsText(services: ApiServices): Promise<string> {
  const stats = services.scheduler.stats()
  const counts = await services.read.counts().catch(() => null)
  const state = (name: string): string => `{state="${name.toLowerCase()}"}`
  const series: Series[] = [
    {
      name: 'heddle_up',
      type: 'gauge',
      help: 'Whether the database answers.',
      values: [['', counts ? 1 : 0]],
    },
    {
      name: 'heddle_jobs',
      type: 'gauge',
      help: 'Active jobs of the cluster by state.',
      values: Object.entries(counts ?? {}).map(([name, count]) => [state(name), count]),
    },
    {
      name: 'heddle_jobs_submitted_total',
      type: 'counter',
      help: 'Jobs accepted by this node.',
      values: [['', stats.submitted]],
    },
    {
      name: 'heddle_jobs_ended_total',
      type: 'counter',
      help: 'Jobs ended on this node by state.',
      values: Object.entries(stats.ended).map(([name, count]) => [state(name), count]),
    },
    {
      name: 'heddle_threads',
      type: 'gauge',
      help: 'Threads of this node.',
      values: [['', stats.threads]],
    },
    {
      name: 'heddle_threads_busy',
      type: 'gauge',
      help: 'Threads of this node that run a job.',
      values: [['', stats.busyThreads]],
    },
    ...decisionSeries(services.scheduler.insight),
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory of the server process.',
      values: [['', process.memoryUsage.rss()]],
    },
  ]
  return series.map(toText).join('')
}

function decisionSeries(insight: ApiServices['scheduler']['insight']): Series[] {
  const calibration = insight.calibration()
  return [
    {
      name: 'heddle_decisions_total',
      type: 'counter',
      help: 'Starts by reason, and reservations, decided by this node.',
      values: Object.entries(insight.decisionCounts()).map(([reason, count]) => [
        `{reason="${reason.toLowerCase()}"}`,
        count,
      ]),
    },
    {
      name: 'heddle_estimates',
      type: 'gauge',
      help: 'Latest expected starts told by this node whose jobs have started.',
      values: [['', calibration.count]],
    },
    {
      name: 'heddle_estimates_right_ratio',
      type: 'gauge',
      help: 'Share of them that started by the time told: 0.5 and 0.9 would be perfect.',
      values: [
        ['{quantile="0.5"}', calibration.byP50 ?? NaN],
        ['{quantile="0.9"}', calibration.byP90 ?? NaN],
      ],
    },
  ]
}

const toText = ({ name, type, help, values }: Series): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n` +
  values.map(([labels, value]) => `${name}${labels} ${value}\n`).join('')
