import type { JobRowFragment } from '../graphql/generated/graphql.ts'
import { formatDuration, formatMoment } from '../ui/format.ts'
import { Progress } from '../ui/progress.tsx'
import { StateBadge } from '../ui/state-badge.tsx'
import { ThreadsCell } from '../ui/threads.tsx'
import type { Column } from '../ui/virtual-table.tsx'

/** How long it has been in its state, or until it leaves it; the server's own figure once it has ended. */
function clockOf(job: JobRowFragment, nowMs: number): string {
  const since = (iso: string): string => formatDuration(Math.max(0, nowMs - Date.parse(iso)))
  if (job.finishedAt) return formatDuration(job.totalTimeMs)
  if (job.startedAt && job.state === 'RUNNING') return since(job.startedAt)
  if (job.state === 'SCHEDULED') {
    return `in ${formatDuration(Math.max(0, Date.parse(job.runAt) - nowMs))}`
  }
  return since(job.runAt)
}

function StateCell(job: JobRowFragment) {
  return (
    <span className="cell-state">
      <StateBadge state={job.state} />
      {job.state === 'RUNNING' && job.progress != null && (
        <Progress value={job.progress} label={`Progress of ${job.name}`} />
      )}
    </span>
  )
}

/** The columns at a moment, which the clocks in them show. */
export const jobColumns = (nowMs: number): Column<JobRowFragment>[] => [
  {
    name: 'Job',
    width: 'minmax(150px, 2.2fr)',
    narrow: 'minmax(0, 1fr)',
    cell: (job) => (
      <span className="cell-two">
        <span className="cell-strong">{job.name}</span>
        <span className="cell-soft">{job.type}</span>
      </span>
    ),
  },
  {
    name: 'State',
    width: 'minmax(112px, 1.3fr)',
    narrow: '100px',
    cell: (job) => <StateCell {...job} />,
  },
  {
    name: 'Priority',
    width: '64px',
    hide: 'narrow',
    align: 'end',
    cell: ({ priority }) => priority,
  },
  {
    name: 'Threads',
    width: '72px',
    hide: 'narrow',
    align: 'end',
    cell: (job) => <ThreadsCell {...job} />,
  },
  {
    name: 'Attempt',
    width: '76px',
    hide: 'narrow',
    align: 'end',
    cell: ({ attempt, maxAttempts }) => (attempt === 0 ? '–' : `${attempt} of ${maxAttempts}`),
  },
  {
    name: 'Worker',
    width: 'minmax(96px, 1fr)',
    hide: 'narrow',
    cell: ({ workerName }) => <span className="cell-soft">{workerName ?? '–'}</span>,
  },
  {
    name: 'Time',
    width: 'minmax(100px, 1fr)',
    narrow: '92px',
    cell: (job) => clockOf(job, nowMs),
  },
  {
    name: 'Submitted',
    width: '92px',
    hide: 'medium',
    align: 'end',
    cell: ({ createdAt }) => <span className="cell-soft">{formatMoment(createdAt)}</span>,
  },
]
