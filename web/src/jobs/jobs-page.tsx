import { useMemo } from 'react'
import { Link, useNavigate } from 'react-router'
import { useQuery } from 'urql'
import { useAskAgain } from '../graphql/connection-context.ts'
import { describeError } from '../graphql/errors.ts'
import { JobTypeNames } from '../graphql/fields.ts'
import type { JobState } from '../graphql/generated/graphql.ts'
import { Button, EmptyState, PageHead, Panel } from '../ui/controls.tsx'
import { FilterBar, useUrlFilter } from '../ui/filter-bar.tsx'
import { useNow } from '../ui/use-now.ts'
import { useTitle } from '../ui/use-title.ts'
import { VirtualTable } from '../ui/virtual-table.tsx'
import { Figures } from './figures.tsx'
import { jobColumns } from './job-columns.tsx'
import { useLiveJobs } from './use-live-jobs.ts'

const TICK_MS = 500

const tabs = [
  { value: '', label: 'All' },
  { value: 'running', label: 'Running' },
  { value: 'queued', label: 'Queued' },
  { value: 'scheduled', label: 'Scheduled' },
]

const statesOf: Record<string, readonly JobState[]> = {
  running: ['RUNNING'],
  queued: ['QUEUED'],
  scheduled: ['SCHEDULED'],
}
const active: readonly JobState[] = ['SCHEDULED', 'QUEUED', 'RUNNING']

/** Every job that waits or runs, as it changes. */
export function JobsPage() {
  useTitle('Jobs')
  const navigate = useNavigate()
  const [filter, setFilter] = useUrlFilter()
  const [types, askTypes] = useQuery({ query: JobTypeNames })
  useAskAgain(askTypes)
  const live = useLiveJobs(filter.type, filter.name, statesOf[filter.tab] ?? active)
  const now = useNow(TICK_MS, live.rows.length > 0)
  const columns = useMemo(() => jobColumns(now), [now])

  return (
    <>
      <PageHead title="Jobs" lead="What waits and runs, live." />
      <Figures />
      <Panel>
        <FilterBar
          filter={filter}
          onChange={setFilter}
          tabs={tabs}
          types={types.data?.jobTypes.map(({ type }) => type) ?? []}
        />
        {live.rows.length > 0 ? (
          <VirtualTable
            label="Active jobs"
            columns={columns}
            rows={live.rows}
            keyOf={({ id }) => id}
            stateOf={({ state }) => state}
            onOpen={({ id }) => void navigate(`/job/${id}`)}
            onNearEnd={live.loadOlder}
          />
        ) : (
          <NothingActive
            loading={live.loading}
            problem={live.error ? describeError(live.error) : null}
            filtered={filter.tab + filter.type + filter.name !== ''}
            onRetry={live.readAgain}
            onClear={() => setFilter({ tab: '', type: '', name: '' })}
          />
        )}
      </Panel>
    </>
  )
}

function NothingActive(props: {
  loading: boolean
  problem: string | null
  filtered: boolean
  onRetry: () => void
  onClear: () => void
}) {
  if (props.problem !== null) {
    const retry = <Button onClick={props.onRetry}>Try again</Button>
    return (
      <EmptyState title="The jobs could not be read" tone="alarm" action={retry}>
        <p>{props.problem}</p>
      </EmptyState>
    )
  }
  if (props.loading) return <EmptyState title="Reading the queue" />
  if (props.filtered) {
    const clear = <Button onClick={props.onClear}>Show all</Button>
    return (
      <EmptyState title="No active job matches" action={clear}>
        <p>Jobs that match appear here as they are submitted.</p>
      </EmptyState>
    )
  }
  const submit = (
    <Link to="/submit" className="button button-primary">
      Submit a job
    </Link>
  )
  return (
    <EmptyState title="The loom is still" action={submit}>
      <p>No job waits or runs. Jobs appear here the moment they are accepted.</p>
    </EmptyState>
  )
}
