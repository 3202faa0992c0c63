import type { ReactNode } from 'react'
import { Field } from '../ui/controls.tsx'
import type { Options, Problems } from './draft.ts'

interface Part {
  key: keyof Options
  label: string
  hint?: ReactNode
  optional?: boolean
  placeholder?: string
}

const MS_PER_S = 1000

const main = (type: string, parallel: boolean): Part[] => [
  { key: 'name', label: 'Name', optional: true, placeholder: type },
  { key: 'priority', label: 'Priority', hint: '-1000 to 1000, higher runs first' },
  {
    key: 'threadDemand',
    label: 'Threads',
    hint: parallel ? 'All on one worker, all at once' : 'This type runs on one thread',
  },
]

const more = (maxAttempts: number, timeoutMs: number): Part[] => [
  { key: 'delayS', label: 'Delay in s', placeholder: '0' },
  { key: 'maxAttempts', label: 'Attempts', placeholder: String(maxAttempts) },
  {
    key: 'timeoutS',
    label: 'Time limit in s',
    placeholder: String(timeoutMs / MS_PER_S),
  },
  { key: 'fairnessKey', label: 'Fairness key', placeholder: 'none' },
]

/** Everything about a job but its payload. */
export function OptionFields(props: {
  options: Options
  problems: Problems
  jobType: { type: string; parallel: boolean; maxAttempts: number; timeoutMs: number }
  onChange: (change: Partial<Options>) => void
}) {
  const { options, problems, jobType, onChange } = props
  const control = ({ key, placeholder, ...field }: Part) => (
    <Field key={key} id={key} problem={problems[key]} {...field}>
      {(attributes) => (
        <input
          {...attributes}
          className="input"
          placeholder={placeholder}
          inputMode={key === 'name' || key === 'fairnessKey' ? 'text' : 'decimal'}
          value={options[key]}
          onChange={(event) => onChange({ [key]: event.target.value })}
        />
      )}
    </Field>
  )
  const rare = more(jobType.maxAttempts, jobType.timeoutMs)
  return (
    <>
      <div className="option-row">{main(jobType.type, jobType.parallel).map(control)}</div>
      <details
        className="more-options"
        open={rare.some(({ key }) => problems[key] || options[key] !== '')}
      >
        <summary>Optional: delay, attempts, time limit, fairness key</summary>
        <div className="option-row">{rare.map(control)}</div>
      </details>
    </>
  )
}
