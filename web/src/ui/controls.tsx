import type { ButtonHTMLAttributes, ReactNode } from 'react'
import './controls.css'

type Look = 'primary' | 'plain' | 'quiet' | 'danger'

export function Button({
  look = 'plain',
  busy = false,
  className = '',
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { look?: Look; busy?: boolean }) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled === true || busy}
      aria-busy={busy || undefined}
      className={`button button-${look} ${className}`}
    />
  )
}

/** What ties a control to its label, its hint, and what is wrong with it. */
export interface FieldControl {
  id: string
  'aria-invalid': true | undefined
  'aria-describedby': string | undefined
}

/** A labelled control with its hint, or what is wrong with it. */
export function Field(props: {
  label: string
  id: string
  hint?: ReactNode
  problem?: string | undefined
  optional?: boolean
  children: (control: FieldControl) => ReactNode
}) {
  const { id, hint } = props
  const problem = props.problem === '' ? undefined : props.problem
  const note =
    problem !== undefined ? `${id}-problem` : hint !== undefined ? `${id}-hint` : undefined
  return (
    <div className="field">
      <label htmlFor={id}>
        {props.label}
        {props.optional === true && <span className="field-optional">optional</span>}
      </label>
      {props.children({
        id,
        'aria-invalid': problem === undefined ? undefined : true,
        'aria-describedby': note,
      })}
      {problem !== undefined ? (
        <p className="field-problem" role="alert" id={note}>
          {problem}
        </p>
      ) : (
        hint !== undefined && (
          <p className="field-hint" id={note}>
            {hint}
          </p>
        )
      )}
    </div>
  )
}

/** A card: the surface most things lie on. */
export function Panel(props: {
  title?: ReactNode
  actions?: ReactNode
  className?: string
  children: ReactNode
}) {
  return (
    <section className={`panel ${props.className ?? ''}`}>
      {props.title !== undefined && (
        <header className="panel-head">
          <h2>{props.title}</h2>
          {props.actions}
        </header>
      )}
      {props.children}
    </section>
  )
}

export function PageHead(props: { title: ReactNode; lead?: ReactNode; actions?: ReactNode }) {
  return (
    <header className="page-head">
      <div>
        <h1>{props.title}</h1>
        {props.lead !== undefined && <p>{props.lead}</p>}
      </div>
      {props.actions !== undefined && <div className="page-actions">{props.actions}</div>}
    </header>
  )
}

/** What stands where a list would, when there is nothing in it or it could not be read. */
export function EmptyState(props: {
  title: string
  children?: ReactNode
  action?: ReactNode
  tone?: 'calm' | 'alarm'
}) {
  return (
    <div className="empty" role={props.tone === 'alarm' ? 'alert' : undefined}>
      <svg viewBox="0 0 120 56" aria-hidden="true" className="empty-weave">
        {[14, 34, 54, 74, 94].map((x) => (
          <path key={x} d={`M${x + 6} 4v48`} />
        ))}
        <path d="M4 18c14-10 20 10 34 0s20 10 34 0 20 10 44 0" className="empty-weft" />
        <path d="M4 38c14 10 20-10 34 0s20-10 34 0 20-10 44 0" className="empty-weft" />
      </svg>
      <h2>{props.title}</h2>
      {props.children}
      {props.action}
    </div>
  )
}
