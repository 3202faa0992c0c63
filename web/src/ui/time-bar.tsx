import { formatDuration } from './format.ts'
import './time-bar.css'

/** Below this share of the whole, what is left over is rounding. */
const SEEN = 0.01

/** What a job's time went to as shares of one bar: delays and earlier attempts, waiting, running. */
export function TimeBar(props: { queueMs: number; runMs: number; totalMs?: number | null }) {
  const { queueMs, runMs } = props
  const total = Math.max(props.totalMs ?? 0, queueMs + runMs)
  const before = total - queueMs - runMs
  const beforeMs = before > total * SEEN ? before : 0
  const words = [
    beforeMs > 0 && `${formatDuration(beforeMs)} of delays and earlier attempts`,
    `waited ${formatDuration(queueMs)}`,
    `ran ${formatDuration(runMs)}`,
  ]
    .filter(Boolean)
    .join(', ')
  return (
    <span className="time-bar" role="img" aria-label={words} title={words}>
      {beforeMs > 0 && <span className="time-bar-before" style={{ flexGrow: beforeMs }} />}
      <span className="time-bar-queue" style={{ flexGrow: queueMs }} />
      {runMs > 0 && <span className="time-bar-run" style={{ flexGrow: runMs }} />}
    </span>
  )
}
