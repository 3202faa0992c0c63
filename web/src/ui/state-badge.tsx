import { Ban, Check, Circle, Clock, LoaderCircle, X, type LucideIcon } from 'lucide-react'
import './state-badge.css'

export type State = 'SCHEDULED' | 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED'

const looks: Record<State, { label: string; icon: LucideIcon }> = {
  SCHEDULED: { label: 'Scheduled', icon: Clock },
  QUEUED: { label: 'Queued', icon: Circle },
  RUNNING: { label: 'Running', icon: LoaderCircle },
  COMPLETED: { label: 'Completed', icon: Check },
  FAILED: { label: 'Failed', icon: X },
  CANCELLED: { label: 'Cancelled', icon: Ban },
}

export const stateLabel = (state: State): string => looks[state].label

export function StateBadge({ state }: { state: State }) {
  const { label, icon: Icon } = looks[state]
  return (
    <span className="badge" data-state={state}>
      <Icon aria-hidden="true" />
      {label}
    </span>
  )
}
