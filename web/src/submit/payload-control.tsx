import { useState } from 'react'
import type { FieldControl } from '../ui/controls.tsx'
import type { PayloadField } from './payload-fields.ts'

interface ControlProps {
  attributes: FieldControl
  field: PayloadField
  value: string
  onChange: (value: string) => void
}

/** The control that suits a field. */
export function PayloadControl({ attributes, field, value, onChange }: ControlProps) {
  const shared = { ...attributes, className: 'input', value }
  switch (field.kind) {
    case 'choice':
      return (
        <select {...shared} onChange={(event) => onChange(event.target.value)}>
          {(!field.required || value === '') && <option value="">–</option>}
          {field.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      )
    case 'flag':
      return (
        <select {...shared} onChange={(event) => onChange(event.target.value)}>
          <option value="">–</option>
          <option value="true">yes</option>
          <option value="false">no</option>
        </select>
      )
    case 'number':
    case 'integer':
      return (
        <input {...shared} inputMode="decimal" onChange={(event) => onChange(event.target.value)} />
      )
    case 'file':
      return <FileControl attributes={attributes} field={field} value={value} onChange={onChange} />
    case 'text':
    case 'numbers':
    case 'json':
      return (
        <textarea
          {...shared}
          rows={3}
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
        />
      )
  }
}

/** A chosen file as a data URL, which is text as JSON needs it. */
function FileControl({ attributes, field, value, onChange }: ControlProps) {
  const [problem, setProblem] = useState('')
  const choose = (file: File | undefined): void => {
    setProblem('')
    if (!file) {
      onChange('')
      return
    }
    const reader = new FileReader()
    reader.onload = () => onChange(typeof reader.result === 'string' ? reader.result : '')
    reader.onerror = () => setProblem(`${file.name} could not be read`)
    reader.readAsDataURL(file)
  }
  return (
    <>
      <input
        {...attributes}
        className="input"
        type="file"
        accept={field.accept}
        onChange={(event) => choose(event.target.files?.[0])}
      />
      {problem && <p className="field-problem">{problem}</p>}
      {value.startsWith('data:image/') && (
        <img className="file-preview" src={value} alt="The chosen file" />
      )}
    </>
  )
}
