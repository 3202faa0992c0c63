import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { useQuery } from 'urql'
import { useAskAgain } from '../graphql/connection-context.ts'
import { describeError } from '../graphql/errors.ts'
import { Button, EmptyState, PageHead, Panel } from '../ui/controls.tsx'
import { useTitle } from '../ui/use-title.ts'
import { draftOf, type Draft } from './draft.ts'
import { JobForm } from './job-form.tsx'
import { JobTypesQuery } from './queries.ts'
import { SubmittedJob } from './submitted-job.tsx'
import { TypeList } from './type-list.tsx'
import './submit-page.css'

/** More would be more than anybody watches. */
const MAX_WATCHED = 6

/** A form for each job type, made from its schema, and the submitted jobs as they run. */
export function SubmitPage() {
  useTitle('Submit a job')
  const [{ data, error }, again] = useQuery({ query: JobTypesQuery })
  useAskAgain(again)
  const [params, setParams] = useSearchParams()
  const [submitted, setSubmitted] = useState<string[]>([])
  /** By type, so that looking at another type costs nothing of what has been written. */
  const [drafts, setDrafts] = useState<Record<string, Draft>>({})
  const types = data?.jobTypes ?? []
  const chosen = types.find(({ type }) => type === params.get('type')) ?? types[0]

  if (!chosen) {
    const retry = (
      <Button onClick={() => again({ requestPolicy: 'network-only' })}>Try again</Button>
    )
    return (
      <Panel>
        <EmptyState
          title={error ? 'The job types could not be read' : 'Reading the job types'}
          tone={error ? 'alarm' : 'calm'}
          action={error && retry}
        >
          {error && <p>{describeError(error)}</p>}
        </EmptyState>
      </Panel>
    )
  }
  return (
    <>
      <PageHead
        title="Submit a job"
        lead="It is in the database before you are told that it is accepted."
      />
      <div className="submit-columns">
        <TypeList
          types={types}
          chosen={chosen.type}
          onChoose={(type) => setParams({ type }, { replace: true })}
        />
        <JobForm
          key={chosen.type}
          jobType={chosen}
          draft={drafts[chosen.type] ?? draftOf(chosen)}
          onChange={(draft) => setDrafts((before) => ({ ...before, [chosen.type]: draft }))}
          onSubmitted={(id) => setSubmitted((ids) => [id, ...ids].slice(0, MAX_WATCHED))}
        />
        <section className="submitted" aria-label="Submitted jobs" aria-live="polite">
          {submitted.length === 0 ? (
            <p className="submitted-none">The jobs that you submit run here before your eyes.</p>
          ) : (
            submitted.map((id) => <SubmittedJob key={id} id={id} />)
          )}
        </section>
      </div>
    </>
  )
}
