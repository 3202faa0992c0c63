import type { ReactNode } from 'react'
import { Panel } from '../ui/controls.tsx'
import { formatDuration, formatMoment } from '../ui/format.ts'
import { threadsText, widthText } from '../ui/threads.tsx'
import type { JobDetail } from './queries.ts'

export function JobFacts({ job }: { job: JobDetail }) {
  const facts: [string, ReactNode, string?][] = [
    ['Priority', job.priority],
    [
      'Threads',
      threadsText(job),
      job.widthReason && job.widthReason !== 'AS_DEMANDED' ? widthText(job.widthReason) : undefined,
    ],
    ...(job.fairnessKey === null
      ? []
      : [['Fairness key', job.fairnessKey] satisfies [string, ReactNode]]),
    ['Attempt', job.attempt === 0 ? 'none yet' : `${job.attempt} of ${job.maxAttempts}`],
    ['Time limit', formatDuration(job.timeoutMs)],
    ['Worker', job.workerName ?? '–', job.nodeId ?? undefined],
    ['Submitted', formatMoment(job.createdAt)],
    ...(job.state === 'SCHEDULED'
      ? [['Not before', formatMoment(job.runAt)] satisfies [string, ReactNode]]
      : []),
  ]
  return (
    <Panel title="Facts" className="job-facts">
      <dl>
        {facts.map(([name, value, note]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {value}
              {note && <small>{note}</small>}
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
}
