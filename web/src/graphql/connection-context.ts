import { createContext, use, useEffect, useSyncExternalStore } from 'react'
import type { Connection, KeyState, SocketState } from './connection.ts'

export const ConnectionContext = createContext<Connection | null>(null)

export function useConnection(): Connection {
  const connection = use(ConnectionContext)
  if (!connection) throw new Error('there is no connection around this component')
  return connection
}

export function useSocketState(): SocketState {
  const connection = useConnection()
  return useSyncExternalStore(connection.subscribe, connection.state)
}

/** Asks again once the connection is back: an answer may have failed or grown old meanwhile. */
export function useAskAgain(ask: (options: { requestPolicy: 'network-only' }) => void): void {
  const connection = useConnection()
  useEffect(() => {
    let seen = connection.reconnects()
    return connection.subscribe(() => {
      if (connection.reconnects() === seen) return
      seen = connection.reconnects()
      ask({ requestPolicy: 'network-only' })
    })
  }, [connection, ask])
}

export function useKeyState(): KeyState {
  const connection = useConnection()
  return useSyncExternalStore(connection.subscribe, connection.key)
}
