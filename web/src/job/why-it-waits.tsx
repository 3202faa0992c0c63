import { useEffect } from 'react'
import { useQuery } from 'urql'
import { graphql } from '../graphql/generated/index.ts'
import { Panel } from '../ui/controls.tsx'
import { formatDuration } from '../ui/format.ts'
import { useNow } from '../ui/use-now.ts'

const REFRESH_MS = 2000

const Why = graphql(`
  query WhyItWaits($id: ID!) {
    job(id: $id) {
      id
      schedule {
        reasons
        estimatedStart {
          p50
          p90
        }
      }
    }
  }
`)

/** What holds a queued job, and when it is expected to start. */
export function WhyItWaits({ id }: { id: string }) {
  const [{ data }, refresh] = useQuery({ query: Why, variables: { id } })
  const now = useNow(1000)
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) refresh({ requestPolicy: 'network-only' })
    }, REFRESH_MS)
    return () => clearInterval(timer)
  }, [refresh])

  const schedule = data?.job?.schedule
  if (!schedule) return null
  return (
    <Panel title="Why it waits" className="job-why">
      <p className="job-why-start">{startText(schedule.estimatedStart, now)}</p>
      <ul>
        {schedule.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </Panel>
  )
}

/** 'Expected to start in 3.1 s, and within 20 s nine times in ten' */
export function startText(
  estimate: { p50: string; p90: string } | null | undefined,
  now: number,
): string {
  if (!estimate) return 'Too little is known to say when it will start'
  const inMs = (iso: string): number => Math.max(0, Date.parse(iso) - now)
  const [likely, late] = [inMs(estimate.p50), inMs(estimate.p90)]
  if (late < 1000) return 'Expected to start within a second'
  const soon = likely < 1000 ? 'within a second' : `in ${formatDuration(likely)}`
  return `Expected to start ${soon}, and within ${formatDuration(late)} nine times in ten`
}
