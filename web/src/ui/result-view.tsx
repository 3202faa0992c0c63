import { JsonView } from './json-view.tsx'
import './result-view.css'

interface Picture {
  image: string
  mimeType: string
  facts: Record<string, unknown>
}

/** Formats that a browser shows and that cannot carry scripts. */
const SHOWN = /^image\/(png|jpeg|webp|avif|gif)$/

/** The picture in a result of the shape `{ image: base64, mimeType, … }`, or null. */
export function pictureOf(result: unknown): Picture | null {
  if (typeof result !== 'object' || result === null) return null
  const { image, mimeType, ...facts } = result as Record<string, unknown>
  if (typeof image !== 'string' || typeof mimeType !== 'string') return null
  return SHOWN.test(mimeType) ? { image, mimeType, facts } : null
}

/** A job's result: a picture as a picture, a single value large, all else as JSON. */
export function ResultView({ result }: { result: unknown }) {
  const picture = pictureOf(result)
  if (picture) {
    return (
      <div className="result-picture">
        <img src={`data:${picture.mimeType};base64,${picture.image}`} alt="The job's result" />
        <JsonView value={picture.facts} label="facts" />
      </div>
    )
  }
  if (['number', 'boolean'].includes(typeof result) || isShortText(result)) {
    return <output className="result-value">{String(result)}</output>
  }
  return <JsonView value={result} label="result" />
}

const isShortText = (value: unknown): boolean => typeof value === 'string' && value.length < 60
