import { Client } from '@urql/core'
import type { Connection } from '../graphql/connection.ts'

/** A connection whose events and losses a test makes. */
export interface FakeConnection extends Connection {
  /** an event for everybody who listens */
  emit(data: unknown): void
  /** lost and found again */
  blink(): void
  /** how many listen to events */
  listening(): number
}

export function createFakeConnection(client?: Client): FakeConnection {
  const handlers = new Set<(data: never) => void>()
  const listeners = new Set<() => void>()
  let reconnects = 0
  return {
    client: client ?? new Client({ url: '/graphql', exchanges: [], preferGetMethod: false }),
    listen(_document, _variables, onEvent) {
      const handler = (data: never): void => onEvent(data)
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    state: () => 'open',
    key: () => 'fine',
    setKey: () => undefined,
    reconnects: () => reconnects,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    emit(data) {
      for (const handler of handlers) handler(data as never)
    },
    blink() {
      reconnects += 1
      for (const listener of listeners) listener()
    },
    listening: () => handlers.size,
  }
}
