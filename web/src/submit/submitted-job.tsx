import { ArrowRight } from 'lucide-react'
import { Link } from 'react-router'
import { useSubscription } from 'urql'
import { Panel } from '../ui/controls.tsx'
import { ErrorView } from '../ui/error-view.tsx'
import { formatDuration } from '../ui/format.ts'
import { Progress } from '../ui/progress.tsx'
import { ResultView } from '../ui/result-view.tsx'
import { StateBadge } from '../ui/state-badge.tsx'
import { threadsText } from '../ui/threads.tsx'
import { WatchJob } from './queries.ts'

/** A job that was submitted here, as it waits, runs and ends. */
export function SubmittedJob({ id }: { id: string }) {
  const [{ data }] = useSubscription({ query: WatchJob, variables: { id } })
  const job = data?.jobUpdated
  if (!job) return <Panel className="submitted-job">Accepted.</Panel>
  return (
    <Panel className="submitted-job" title={job.name} actions={<StateBadge state={job.state} />}>
      {job.state === 'RUNNING' && job.progress != null && (
        <Progress value={job.progress} label="Progress" />
      )}
      {job.state === 'COMPLETED' && <ResultView result={job.result} />}
      {job.error && <ErrorView error={job.error} />}
      <footer>
        <span>
          {job.finishedAt
            ? `waited ${formatDuration(job.queueTimeMs)}, ran ${formatDuration(job.executionTimeMs)}`
            : (job.workerName ?? 'waits for a thread')}
          {job.width != null && `, threads: ${threadsText(job)}`}
        </span>
        <Link to={`/job/${id}`}>
          Open <ArrowRight aria-hidden="true" />
        </Link>
      </footer>
    </Panel>
  )
}
