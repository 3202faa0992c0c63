import { Field } from '../ui/controls.tsx'
import type { Draft, Problems } from './draft.ts'
import { PayloadControl } from './payload-control.tsx'

/** The payload, field by field or as JSON. */
export function PayloadEditor(props: {
  draft: Draft
  problems: Problems
  onChange: (draft: Draft) => void
}) {
  const { draft, problems, onChange } = props
  if (draft.json !== null || !draft.fields) {
    return (
      <Field label="Payload" id="payload" problem={problems.payload}>
        {(attributes) => (
          <textarea
            {...attributes}
            className="input"
            rows={10}
            spellCheck={false}
            value={draft.json ?? ''}
            onChange={(event) => onChange({ ...draft, json: event.target.value })}
          />
        )}
      </Field>
    )
  }
  return (
    <>
      {draft.fields.map((field) => (
        <Field
          key={field.key}
          label={field.key}
          id={`payload-${field.key}`}
          hint={field.hint}
          optional={!field.required}
          problem={problems[`payload.${field.key}`]}
        >
          {(attributes) => (
            <PayloadControl
              attributes={attributes}
              field={field}
              value={draft.values[field.key] ?? ''}
              onChange={(value) =>
                onChange({ ...draft, values: { ...draft.values, [field.key]: value } })
              }
            />
          )}
        </Field>
      ))}
      {problems.payload && (
        <p className="field-problem" role="alert">
          {problems.payload}
        </p>
      )}
    </>
  )
}
