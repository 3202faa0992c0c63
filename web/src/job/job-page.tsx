import { Link, useParams } from 'react-router'
import { useQuery, useSubscription } from 'urql'
import { useAskAgain } from '../graphql/connection-context.ts'
import { describeError } from '../graphql/errors.ts'
import type { JobStateNowFragment } from '../graphql/generated/graphql.ts'
import { EmptyState, Panel } from '../ui/controls.tsx'
import { ErrorView } from '../ui/error-view.tsx'
import { JsonView } from '../ui/json-view.tsx'
import { ResultView } from '../ui/result-view.tsx'
import { useTitle } from '../ui/use-title.ts'
import { AttemptList } from './attempt-list.tsx'
import { JobFacts } from './job-facts.tsx'
import { JobHead } from './job-head.tsx'
import { JobDetails, JobNow, type JobDetail } from './queries.ts'
import { Timeline } from './timeline.tsx'
import { WhyItWaits } from './why-it-waits.tsx'
import './job-page.css'

/** Events come in order, and the present state is the first: an answer read before may arrive after. */
const withLatest = (job: JobDetail, event: JobStateNowFragment | undefined): JobDetail =>
  event?.id === job.id ? { ...job, ...event } : job

/** All that is known of one job, live until it ends. */
export function JobPage() {
  const { id = '' } = useParams()
  const [{ data, error, fetching }, again] = useQuery({
    query: JobDetails,
    variables: { id },
    requestPolicy: 'cache-and-network',
  })
  useAskAgain(again)
  const [{ data: events }] = useSubscription({ query: JobNow, variables: { id } })
  const job = data?.job && withLatest(data.job, events?.jobUpdated)
  useTitle(job?.name ?? 'Job')
  if (job) return <JobView job={job} />

  const back = (
    <Link to="/" className="button">
      To the jobs
    </Link>
  )
  return (
    <Panel>
      {error ? (
        <EmptyState title="The job could not be read" tone="alarm" action={back}>
          <p>{describeError(error)}</p>
        </EmptyState>
      ) : fetching ? (
        <EmptyState title="Reading the job" />
      ) : (
        <EmptyState title="No such job" action={back}>
          <p>
            Nobody knows <code>{id}</code>. It may have left the history by now.
          </p>
        </EmptyState>
      )}
    </Panel>
  )
}

function JobView({ job }: { job: JobDetail }) {
  return (
    <>
      <JobHead job={job} />
      <Timeline job={job} />
      <div className="job-columns">
        <div className="job-main">
          {job.error && (
            <Panel title={job.state === 'FAILED' ? 'Error' : 'Error of the last attempt'}>
              <ErrorView error={job.error} />
            </Panel>
          )}
          {job.state === 'QUEUED' && <WhyItWaits id={job.id} />}
          {job.state === 'COMPLETED' && (
            <Panel title="Result">
              <ResultView result={job.result} />
            </Panel>
          )}
          <Panel title="Payload">
            <JsonView value={job.payload} label="payload" />
          </Panel>
          {job.attempts.length > 0 && <AttemptList job={job} />}
        </div>
        <JobFacts job={job} />
      </div>
    </>
  )
}
