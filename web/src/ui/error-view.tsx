import './error-view.css'

interface Fault {
  name: string
  message: string
  code?: string | null
  stack?: string | null
}

/** Why an attempt failed; the stack is there for who wants it. */
export function ErrorView({ error }: { error: Fault }) {
  return (
    <div className="error-view">
      <p>
        <strong>{error.code ?? error.name}</strong>
        {error.message}
      </p>
      {error.stack && (
        <details>
          <summary>Stack</summary>
          <pre>{error.stack}</pre>
        </details>
      )}
    </div>
  )
}
