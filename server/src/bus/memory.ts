import { log } from '../log.ts'
import type { Bus, Topic, Topics } from './bus.ts'

type Listener = (message: never) => void

/** The bus of a single node, and the part of any bus that serves its own process. */
export function createMemoryBus(): Bus {
  const listeners = new Map<Topic, Set<Listener>>()
  let waiting: { topic: Topic; message: Topics[Topic] }[] = []
  let scheduled: NodeJS.Immediate | undefined

  const deliver = (): void => {
    scheduled = undefined
    const batch = waiting
    waiting = []
    for (const { topic, message } of batch) {
      // A copy: a listener may end its subscription, or another's, while it is told.
      for (const listener of [...(listeners.get(topic) ?? [])]) {
        try {
          listener(message as never)
        } catch (error) {
          log.error({ error, topic }, 'a listener of the bus threw')
        }
      }
    }
  }

  return {
    publish(topic, message) {
      waiting.push({ topic, message })
      scheduled ??= setImmediate(deliver)
    },
    subscribe(topic, listener) {
      const known = listeners.get(topic) ?? new Set()
      listeners.set(topic, known)
      // A wrapper, so that one function subscribed twice is told twice and ends one subscription at a time.
      const entry: Listener = (message) => listener(message)
      known.add(entry)
      return () => void known.delete(entry)
    },
    healthy: () => true,
    close() {
      clearImmediate(scheduled)
      deliver()
      listeners.clear()
      return Promise.resolve()
    },
  }
}
