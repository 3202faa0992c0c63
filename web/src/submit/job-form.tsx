import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useMutation } from 'urql'
import { describeError, issuesOf } from '../graphql/errors.ts'
import type { JobTypesQuery } from '../graphql/generated/graphql.ts'
import { Button, Panel } from '../ui/controls.tsx'
import { formatType } from '../ui/format.ts'
import { inputOf, problemsOf, switched, type Draft, type Problems } from './draft.ts'
import { OptionFields } from './option-fields.tsx'
import { PayloadEditor } from './payload-editor.tsx'
import { SubmitJob } from './queries.ts'

type JobType = JobTypesQuery['jobTypes'][number]

/** Writes one job of one type and submits it. What the server refuses is told at the control it is about. */
export function JobForm(props: {
  jobType: JobType
  draft: Draft
  onChange: (draft: Draft) => void
  onSubmitted: (id: string) => void
}) {
  const { jobType, draft, onChange } = props
  const [problems, setProblems] = useState<Problems>({})
  const [refusal, setRefusal] = useState<string | null>(null)
  const [{ fetching }, submitJob] = useMutation(SubmitJob)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [problems])

  const submit = async (): Promise<void> => {
    const { input, problems: mistakes } = inputOf(draft)
    setProblems(mistakes)
    setRefusal(null)
    if (Object.keys(mistakes).length > 0) return
    const { data, error } = await submitJob({ input })
    if (data) {
      props.onSubmitted(data.submitJob.id)
      return
    }
    if (!error) return
    const issues = issuesOf(error)
    setProblems(problemsOf(issues, draft.json === null))
    if (issues.length === 0) setRefusal(describeError(error))
  }
  const switchMode = (): void => {
    const { draft: next, problems: mistakes } = switched(draft)
    onChange(next)
    setProblems(mistakes)
  }
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    void submit()
  }

  return (
    <Panel
      title={formatType(jobType.type)}
      actions={
        draft.fields && (
          <Button look="quiet" onClick={switchMode}>
            {draft.json === null ? 'Write as JSON' : 'Write by field'}
          </Button>
        )
      }
    >
      <form className="job-form" ref={form} onSubmit={onSubmit} noValidate>
        <PayloadEditor draft={draft} problems={problems} onChange={onChange} />
        <OptionFields
          options={draft.options}
          problems={problems}
          jobType={jobType}
          onChange={(change) => onChange({ ...draft, options: { ...draft.options, ...change } })}
        />
        {refusal !== null && (
          <p className="job-refusal" role="alert">
            {refusal}
          </p>
        )}
        <Button look="primary" type="submit" busy={fetching}>
          {fetching ? 'Submitting' : 'Submit job'}
        </Button>
      </form>
    </Panel>
  )
}
