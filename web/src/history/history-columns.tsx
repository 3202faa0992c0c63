import type { JobRowFragment } from '../graphql/generated/graphql.ts'
import { formatDuration, formatMoment } from '../ui/format.ts'
import { StateBadge } from '../ui/state-badge.tsx'
import { ThreadsCell } from '../ui/threads.tsx'
import { TimeBar } from '../ui/time-bar.tsx'
import type { Column } from '../ui/virtual-table.tsx'

export const historyColumns: Column<JobRowFragment>[] = [
  {
    name: 'Job',
    width: 'minmax(130px, 1.9fr)',
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
    width: '106px',
    narrow: '100px',
    cell: ({ state }) => <StateBadge state={state} />,
  },
  {
    name: 'Priority',
    width: '60px',
    hide: 'narrow',
    align: 'end',
    cell: ({ priority }) => priority,
  },
  {
    name: 'Threads',
    width: '64px',
    hide: 'narrow',
    align: 'end',
    cell: (job) => <ThreadsCell {...job} />,
  },
  {
    name: 'Where its time went',
    width: 'minmax(120px, 1.3fr)',
    hide: 'medium',
    cell: ({ queueTimeMs, executionTimeMs, totalTimeMs }) => (
      <TimeBar queueMs={queueTimeMs ?? 0} runMs={executionTimeMs ?? 0} totalMs={totalTimeMs} />
    ),
  },
  {
    name: 'Queue',
    width: '84px',
    hide: 'narrow',
    align: 'end',
    cell: ({ queueTimeMs }) => formatDuration(queueTimeMs),
  },
  {
    name: 'Execution',
    width: '84px',
    hide: 'narrow',
    align: 'end',
    cell: ({ executionTimeMs }) => formatDuration(executionTimeMs),
  },
  {
    name: 'Total',
    width: '84px',
    narrow: '84px',
    align: 'end',
    cell: ({ totalTimeMs }) => <b className="cell-strong">{formatDuration(totalTimeMs)}</b>,
  },
  {
    name: 'Ended',
    width: '108px',
    hide: 'narrow',
    align: 'end',
    cell: ({ finishedAt }) => <span className="cell-soft">{formatMoment(finishedAt)}</span>,
  },
]
