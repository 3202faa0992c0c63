import { RotateCcw, Square } from 'lucide-react'
import { Link } from 'react-router'
import { useMutation } from 'urql'
import { describeError } from '../graphql/errors.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Button, PageHead } from '../ui/controls.tsx'
import { StateBadge } from '../ui/state-badge.tsx'
import { CancelJob, RetryJob, type JobDetail } from './queries.ts'

export function JobHead({ job }: { job: JobDetail }) {
  const [cancelling, cancel] = useMutation(CancelJob)
  const [retrying, retry] = useMutation(RetryJob)
  const problem = cancelling.error ?? retrying.error
  const ended = job.finishedAt != null
  return (
    <>
      <PageHead
        title={
          <span className="job-title">
            {job.name} <StateBadge state={job.state} />
          </span>
        }
        lead={
          <>
            <Link to={`/?type=${job.type}`} className="job-type">
              {job.type}
            </Link>{' '}
            <code>{job.id}</code>
          </>
        }
        actions={
          ended ? (
            <Button busy={retrying.fetching} onClick={() => void retry({ id: job.id })}>
              <RotateCcw aria-hidden="true" />
              Run again
            </Button>
          ) : (
            <Confirm
              trigger={
                <Button look="danger" busy={cancelling.fetching || job.cancelRequested}>
                  <Square aria-hidden="true" />
                  {job.cancelRequested ? 'Stopping' : 'Cancel job'}
                </Button>
              }
              title={`Cancel “${job.name}”?`}
              text={
                job.state === 'RUNNING'
                  ? 'It is told to stop, and its threads are taken back shortly after. What it has done so far is not undone.'
                  : 'It leaves the queue and does not run.'
              }
              yes="Cancel the job"
              no="Let it be"
              onYes={() => void cancel({ id: job.id })}
            />
          )
        }
      />
      {problem && (
        <p className="job-problem" role="alert">
          {describeError(problem)}
        </p>
      )}
    </>
  )
}
