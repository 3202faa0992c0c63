import { Link } from 'react-router'
import { EmptyState, Panel } from '../ui/controls.tsx'
import { useTitle } from '../ui/use-title.ts'

export function NotFoundPage() {
  useTitle('No such page')
  return (
    <Panel>
      <EmptyState
        title="No such page"
        action={
          <Link to="/" className="button">
            To the jobs
          </Link>
        }
      >
        <p>The address may have a letter too many.</p>
      </EmptyState>
    </Panel>
  )
}
