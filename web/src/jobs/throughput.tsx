import { useMemo } from 'react'
import { useNow } from '../ui/use-now.ts'

const MINUTE_MS = 60_000
const MINUTES = 60
const HEIGHT = 44
const BAR = 6
const GAP = 2

interface Point {
  at: string
  completed: number
  failed: number
}

/** Jobs that ended, minute by minute, oldest first. */
export function perMinute(points: readonly Point[], nowMs: number): Omit<Point, 'at'>[] {
  const last = Math.floor(nowMs / MINUTE_MS)
  const bars = Array.from({ length: MINUTES }, () => ({ completed: 0, failed: 0 }))
  for (const { at, completed, failed } of points) {
    const bar = bars[MINUTES - 1 - (last - Math.floor(Date.parse(at) / MINUTE_MS))]
    if (!bar) continue
    bar.completed += completed
    bar.failed += failed
  }
  return bars
}

/** One bar a minute; the failed part stands on top. */
export function Throughput({ points }: { points: readonly Point[] }) {
  const now = useNow(MINUTE_MS / 6)
  const bars = useMemo(() => perMinute(points, now), [points, now])
  const most = Math.max(1, ...bars.map(({ completed, failed }) => completed + failed))
  // A minute with one job in it must show beside one with ten thousand.
  const tall = (count: number): number => (count === 0 ? 0 : Math.max(2, (count / most) * HEIGHT))
  return (
    <svg
      className="throughput"
      viewBox={`0 0 ${MINUTES * (BAR + GAP) - GAP} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Jobs ended per minute, ${most} at most`}
    >
      {bars.map(({ completed, failed }, minute) => {
        const x = minute * (BAR + GAP)
        const below = tall(completed)
        const above = tall(failed)
        return (
          <g key={minute}>
            <rect x={x} y={HEIGHT - 1} width={BAR} height={1} className="throughput-ground" />
            <rect x={x} y={HEIGHT - below} width={BAR} height={below} data-state="COMPLETED" />
            <rect x={x} y={HEIGHT - below - above} width={BAR} height={above} data-state="FAILED" />
          </g>
        )
      })}
    </svg>
  )
}
