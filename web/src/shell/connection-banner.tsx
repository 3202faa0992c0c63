import { Unplug } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useKeyState, useSocketState } from '../graphql/connection-context.ts'

/** A blink of the connection is nobody's business. */
const PATIENCE_MS = 1_000

export function ConnectionBanner() {
  const lost = useSocketState() === 'lost'
  const keyWanted = useKeyState() !== 'fine'
  const [shown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(lost), lost ? PATIENCE_MS : 0)
    return () => clearTimeout(timer)
  }, [lost])
  if (!shown || keyWanted) return null
  return (
    <div className="banner" role="alert">
      <Unplug aria-hidden="true" />
      <p>
        <strong>The server does not answer.</strong> What you see is from before. This page comes
        back by itself; accepted jobs are safe.
      </p>
    </div>
  )
}
