import { useEffect, type ReactNode } from 'react'
import { useQuery, useSubscription } from 'urql'
import { WorkersNow } from '../graphql/fields.ts'
import { graphql } from '../graphql/generated/index.ts'
import { formatCount, formatDuration } from '../ui/format.ts'
import { Throughput } from './throughput.tsx'
import './figures.css'

const REFRESH_MS = 2_000

const Overview = graphql(`
  query Overview {
    metrics(window: HOUR) {
      completed
      failed
      meanQueueTimeMs
      meanExecutionTimeMs
      counts {
        scheduled
        queued
        running
      }
      points {
        at
        type
        completed
        failed
      }
    }
  }
`)

/** How the queue does at a glance: now, and within the last hour. */
export function Figures() {
  const [{ data }, refresh] = useQuery({ query: Overview })
  const [workers] = useSubscription({ query: WorkersNow })
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) refresh({ requestPolicy: 'network-only' })
    }, REFRESH_MS)
    return () => clearInterval(timer)
  }, [refresh])

  const metrics = data?.metrics
  const all = workers.data?.workersUpdated ?? []
  const threads = all.reduce((sum, worker) => sum + worker.threadCount, 0)
  const busy = all.reduce((sum, worker) => sum + worker.busyThreads, 0)
  return (
    <section className="figures" aria-label="At a glance">
      <Figure name="Running" state="RUNNING" value={metrics?.counts.running}>
        {threads > 0 && `${busy} of ${threads} threads busy`}
      </Figure>
      <Figure name="Queued" state="QUEUED" value={metrics?.counts.queued}>
        {metrics?.meanQueueTimeMs != null &&
          `waited ${formatDuration(metrics.meanQueueTimeMs)} on average`}
      </Figure>
      <Figure name="Scheduled" state="SCHEDULED" value={metrics?.counts.scheduled}>
        for later, or to be retried
      </Figure>
      <figure className="figure figure-wide">
        <figcaption>
          Ended in the last hour
          <span className="figure-legend">
            <b data-state="COMPLETED">{metrics ? formatCount(metrics.completed) : '–'} completed</b>
            <b data-state="FAILED">{metrics ? formatCount(metrics.failed) : '–'} failed</b>
          </span>
        </figcaption>
        <Throughput points={metrics?.points ?? []} />
      </figure>
    </section>
  )
}

function Figure(props: {
  name: string
  state: string
  value: number | undefined
  children: ReactNode
}) {
  return (
    <div className="figure" data-state={props.state}>
      <h2>{props.name}</h2>
      <strong>{props.value === undefined ? '–' : formatCount(props.value)}</strong>
      <p>{props.children}</p>
    </div>
  )
}
