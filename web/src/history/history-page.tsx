import { Link, useNavigate } from 'react-router'
import { useQuery } from 'urql'
import { useAskAgain } from '../graphql/connection-context.ts'
import { describeError } from '../graphql/errors.ts'
import { JobTypeNames } from '../graphql/fields.ts'
import type { JobState } from '../graphql/generated/graphql.ts'
import { Button, EmptyState, PageHead, Panel } from '../ui/controls.tsx'
import { FilterBar, useUrlFilter } from '../ui/filter-bar.tsx'
import { formatCount } from '../ui/format.ts'
import { useTitle } from '../ui/use-title.ts'
import { VirtualTable } from '../ui/virtual-table.tsx'
import { historyColumns } from './history-columns.tsx'
import { MAX_HELD } from './history-store.ts'
import { useHistory } from './use-history.ts'

const tabs = [
  { value: '', label: 'All' },
  { value: 'completed', label: 'Completed' },
  { value: 'failed', label: 'Failed' },
  { value: 'cancelled', label: 'Cancelled' },
]

const statesOf: Record<string, JobState[]> = {
  completed: ['COMPLETED'],
  failed: ['FAILED'],
  cancelled: ['CANCELLED'],
}
const ended: JobState[] = ['COMPLETED', 'FAILED', 'CANCELLED']

/** Jobs that have ended, with how long each waited, ran and took in all. */
export function HistoryPage() {
  useTitle('History')
  const navigate = useNavigate()
  const [filter, setFilter] = useUrlFilter()
  const [types, askTypes] = useQuery({ query: JobTypeNames })
  useAskAgain(askTypes)
  const history = useHistory(filter.type, filter.name, statesOf[filter.tab] ?? ended)
  const filtered = filter.tab + filter.type + filter.name !== ''

  return (
    <>
      <PageHead title="History" lead="What has ended, and where its time went." />
      <Panel>
        <FilterBar
          filter={filter}
          onChange={setFilter}
          tabs={tabs}
          types={types.data?.jobTypes.map(({ type }) => type) ?? []}
        />
        {history.rows.length > 0 ? (
          <VirtualTable
            label="Ended jobs"
            columns={historyColumns}
            rows={history.rows}
            keyOf={({ id }) => id}
            stateOf={({ state }) => state}
            onOpen={({ id }) => void navigate(`/job/${id}`)}
            onNearEnd={history.loadOlder}
            onTop={history.follow}
            news={newsOf(history.newer)}
          />
        ) : history.error ? (
          <EmptyState
            title="The history could not be read"
            tone="alarm"
            action={<Button onClick={history.readAgain}>Try again</Button>}
          >
            <p>{describeError(history.error)}</p>
          </EmptyState>
        ) : history.loading ? (
          <EmptyState title="Reading the history" />
        ) : (
          <NothingEnded
            filtered={filtered}
            onClear={() => setFilter({ tab: '', type: '', name: '' })}
          />
        )}
      </Panel>
    </>
  )
}

function newsOf(newer: number): string | undefined {
  if (newer === 0) return undefined
  return `${formatCount(newer)}${newer === MAX_HELD ? '+' : ''} newer`
}

function NothingEnded({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (filtered) {
    return (
      <EmptyState
        title="No ended job matches"
        action={<Button onClick={onClear}>Show all</Button>}
      />
    )
  }
  const submit = (
    <Link to="/submit" className="button button-primary">
      Submit a job
    </Link>
  )
  return (
    <EmptyState title="No cloth yet" action={submit}>
      <p>Jobs that complete, fail or are cancelled are kept here with their times.</p>
    </EmptyState>
  )
}
