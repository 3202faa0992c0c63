import { useSocketState } from '../graphql/connection-context.ts'

const words = { connecting: 'Connecting', open: 'Live', lost: 'Reconnecting' }

export function LiveDot() {
  const state = useSocketState()
  return (
    <span className="live-dot" data-socket={state} role="status">
      {words[state]}
    </span>
  )
}
