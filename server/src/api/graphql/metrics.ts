import type { ActiveState } from '../../core/job.ts'
import type { MetricsRow } from '../../store/read.ts'
import { date, type Builder } from './builder.ts'

const MINUTE_MS = 60_000
const DAY_MS = 1440 * MINUTE_MS

/** Each window is cut into at most about a hundred points per job type. */
const windows = {
  HOUR: { windowMs: 60 * MINUTE_MS, pointMs: MINUTE_MS },
  DAY: { windowMs: DAY_MS, pointMs: 15 * MINUTE_MS },
  WEEK: { windowMs: 7 * DAY_MS, pointMs: 120 * MINUTE_MS },
  MONTH: { windowMs: 30 * DAY_MS, pointMs: 480 * MINUTE_MS },
}
type Window = keyof typeof windows

interface Sums {
  completed: number
  failed: number
  cancelled: number
  queueTimeMs: number
  executionTimeMs: number
  totalTimeMs: number
}
interface Point extends Sums {
  at: number
  type: string
}
interface Metrics extends Sums {
  counts: Record<ActiveState, number>
  points: Point[]
}

const addTo = (sums: Sums, row: Sums): void => {
  sums.completed += row.completed
  sums.failed += row.failed
  sums.cancelled += row.cancelled
  sums.queueTimeMs += row.queueTimeMs
  sums.executionTimeMs += row.executionTimeMs
  sums.totalTimeMs += row.totalTimeMs
}
const nothing = (): Sums => ({
  completed: 0,
  failed: 0,
  cancelled: 0,
  queueTimeMs: 0,
  executionTimeMs: 0,
  totalTimeMs: 0,
})

/** Adds up minutes into points of `pointMs`, one per type. */
export function toPoints(rows: readonly MetricsRow[], pointMs: number): Point[] {
  const points = new Map<string, Point>()
  for (const row of rows) {
    const at = Math.floor(row.minute / pointMs) * pointMs
    const key = `${at} ${row.type}`
    const point = points.get(key) ?? { at, type: row.type, ...nothing() }
    points.set(key, point)
    addTo(point, row)
  }
  return [...points.values()]
}

/** A job cancelled before it started has no times of its own, so the mean is over those that ran to an end. */
const mean = (sum: number, { completed, failed }: Sums): number | null =>
  completed + failed > 0 ? sum / (completed + failed) : null
const meanTotal = (sums: Sums): number | null => {
  const ended = sums.completed + sums.failed + sums.cancelled
  return ended > 0 ? sums.totalTimeMs / ended : null
}

export function addMetrics(builder: Builder): void {
  const window = builder.enumType('MetricsWindow', {
    values: Object.keys(windows) as Window[],
  })
  const counts = builder.objectRef<Metrics['counts']>('JobCounts').implement({
    description: 'Active jobs; may be a second old',
    fields: (t) => ({
      scheduled: t.exposeInt('SCHEDULED'),
      queued: t.exposeInt('QUEUED'),
      running: t.exposeInt('RUNNING'),
    }),
  })
  const point = addPoint(builder)
  const metrics = builder.objectRef<Metrics>('Metrics').implement({
    fields: (t) => ({
      counts: t.field({ type: counts, resolve: (parent) => parent.counts }),
      points: t.field({
        type: [point],
        complexity: { multiplier: 100 },
        resolve: (parent) => parent.points,
      }),
      completed: t.exposeInt('completed'),
      failed: t.exposeInt('failed'),
      cancelled: t.exposeInt('cancelled'),
      meanQueueTimeMs: t.float({ nullable: true, resolve: (m) => mean(m.queueTimeMs, m) }),
      meanExecutionTimeMs: t.float({ nullable: true, resolve: (m) => mean(m.executionTimeMs, m) }),
      meanTotalTimeMs: t.float({ nullable: true, resolve: meanTotal }),
    }),
  })

  builder.queryFields((t) => ({
    metrics: t.field({
      type: metrics,
      description: 'What is active now, and what ended within the window',
      args: { window: t.arg({ type: window, required: true, defaultValue: 'HOUR' }) },
      complexity: 20,
      resolve: async (_root, args, { read }) => {
        const { windowMs, pointMs } = windows[args.window]
        const [counted, rows] = await Promise.all([read.counts(), read.metrics(windowMs)])
        const sums = nothing()
        for (const row of rows) addTo(sums, row)
        return { ...sums, counts: counted, points: toPoints(rows, pointMs) }
      },
    }),
  }))
}

const addPoint = (builder: Builder) =>
  builder.objectRef<Point>('MetricsPoint').implement({
    description: 'Jobs of one type that ended from `at` until the next point',
    fields: (t) => ({
      at: t.field({ type: 'DateTime', resolve: ({ at }) => date(at) }),
      type: t.exposeString('type'),
      completed: t.exposeInt('completed'),
      failed: t.exposeInt('failed'),
      cancelled: t.exposeInt('cancelled'),
      meanQueueTimeMs: t.float({ nullable: true, resolve: (m) => mean(m.queueTimeMs, m) }),
      meanExecutionTimeMs: t.float({ nullable: true, resolve: (m) => mean(m.executionTimeMs, m) }),
      meanTotalTimeMs: t.float({ nullable: true, resolve: meanTotal }),
    }),
  })
