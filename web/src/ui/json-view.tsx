import { Check, Copy } from 'lucide-react'
import { useState } from 'react'
import { formatCount } from './format.ts'
import { prettyJson } from './pretty-json.ts'
import './json-view.css'

/** A page with megabytes of text in it does not scroll. */
const MAX_SHOWN = 20_000

/** A JSON value as people read it, cut where it is very long; copying copies all of it. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  const text = prettyJson(value)
  const [copied, setCopied] = useState(false)
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => {
      setCopied(true)
      setTimeout(() => setCopied(false), 1_500)
    })
  }
  const Icon = copied ? Check : Copy
  return (
    <div className="json-view">
      <button type="button" className="icon-button" onClick={copy} aria-label={`Copy ${label}`}>
        <Icon aria-hidden="true" />
      </button>
      <pre>{text.length > MAX_SHOWN ? compact(value) : text}</pre>
    </div>
  )
}

function compact(value: unknown): string {
  const text = JSON.stringify(value)
  return `${text.slice(0, MAX_SHOWN / 10)} …\n\n${formatCount(text.length)} characters in all`
}
