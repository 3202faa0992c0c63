import { Panel } from '../ui/controls.tsx'
import { formatDuration, formatMoment } from '../ui/format.ts'
import { Progress } from '../ui/progress.tsx'
import { TimeBar } from '../ui/time-bar.tsx'
import { useNow } from '../ui/use-now.ts'
import type { JobDetail } from './queries.ts'

const TICK_MS = 250

interface Spans {
  queueMs: number
  /** null before it starts */
  runMs: number | null
  totalMs: number
}

/** The three times: the server's once they are final, until then by the clock of this browser. */
function spansOf(job: JobDetail, nowMs: number): Spans {
  const since = (iso: string): number => Math.max(0, nowMs - Date.parse(iso))
  const running = job.state === 'RUNNING' && job.startedAt != null
  const waits = job.state === 'QUEUED' || job.state === 'SCHEDULED'
  return {
    queueMs: (waits ? null : job.queueTimeMs) ?? since(job.runAt),
    runMs: running && job.startedAt ? since(job.startedAt) : (job.executionTimeMs ?? null),
    totalMs: job.totalTimeMs ?? since(job.createdAt),
  }
}

/** Where the job's time goes. */
export function Timeline({ job }: { job: JobDetail }) {
  const now = useNow(TICK_MS, job.finishedAt == null)
  const { queueMs, runMs, totalMs } = spansOf(job, now)
  const steps = [
    { name: 'Queue', ms: queueMs, at: `submitted ${formatMoment(job.createdAt)}` },
    {
      name: 'Execution',
      ms: runMs,
      at: job.startedAt ? `started ${formatMoment(job.startedAt)}` : 'not started yet',
    },
    {
      name: 'Total',
      ms: totalMs,
      at: job.finishedAt ? `ended ${formatMoment(job.finishedAt)}` : 'so far',
    },
  ]
  return (
    <Panel className="timeline">
      <dl data-state={job.state}>
        {steps.map(({ name, ms, at }) => (
          <div key={name}>
            <dt>{name} time</dt>
            <dd>{formatDuration(ms)}</dd>
            <dd className="timeline-at">{at}</dd>
          </div>
        ))}
      </dl>
      <div data-state={job.state}>
        <TimeBar queueMs={queueMs} runMs={runMs ?? 0} totalMs={totalMs} />
      </div>
      {job.state === 'RUNNING' && job.progress != null && (
        <Progress value={job.progress} label="Progress" />
      )}
    </Panel>
  )
}
