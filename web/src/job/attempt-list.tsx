import { Panel } from '../ui/controls.tsx'
import { ErrorView } from '../ui/error-view.tsx'
import { formatDuration, formatMoment } from '../ui/format.ts'
import type { JobDetail } from './queries.ts'

type Attempt = JobDetail['attempts'][number]

const tookMs = (from: string, to: string): number => Date.parse(to) - Date.parse(from)

/** An attempt bears the error that ended it; of a cancelled job, the last one has none. */
function outcomeOf(attempt: Attempt, job: JobDetail): 'COMPLETED' | 'FAILED' | 'CANCELLED' {
  if (attempt.error) return 'FAILED'
  const cancelled = job.state === 'CANCELLED' && attempt.number === job.attempt
  return cancelled ? 'CANCELLED' : 'COMPLETED'
}

/** Executions that have ended, the last one first. */
export function AttemptList({ job }: { job: JobDetail }) {
  return (
    <Panel title="Attempts">
      <ol className="attempts" reversed>
        {job.attempts.toReversed().map((attempt) => (
          <li key={`${attempt.number} ${attempt.startedAt}`}>
            <p className="attempt-head">
              <b>Attempt {attempt.number}</b>
              <span data-state={outcomeOf(attempt, job)}>
                {outcomeOf(attempt, job).toLowerCase()}
              </span>
              <span>
                {formatMoment(attempt.startedAt)} on {attempt.workerName ?? 'no worker'}, took{' '}
                {formatDuration(tookMs(attempt.startedAt, attempt.finishedAt))}
              </span>
            </p>
            {attempt.error && <ErrorView error={attempt.error} />}
          </li>
        ))}
      </ol>
    </Panel>
  )
}
