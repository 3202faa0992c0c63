/**
 * The bus between nodes. What is published within one tick travels as one message per topic. A message
 * says which node it is from, because Redis brings it back to its sender, who has told its own listeners
 * already. While Redis is away messages are dropped, not kept: they are hints, and the tables have it all. The others
 * are told of it afterwards, so that they look there.
 */
import { log } from '../log.ts'
import type { Bus, Topic, Topics } from './bus.ts'
import { closeRedis, type RedisClient } from './connect.ts'
import { createMemoryBus } from './memory.ts'

/** Larger batches are split. */
const MAX_CHARACTERS = 512 * 1024
/** Given to a slow connection and not yet taken: beyond this new messages are dropped. */
const MAX_UNSENT_CHARACTERS = 16 * 1024 * 1024

/** Where Redis says that no other node listens, it is asked again this often. */
const ALONE_MS = 1_000

const topics: readonly Topic[] = ['jobs', 'wake', 'workers', 'cancel']

export interface RedisBusOptions {
  publisher: RedisClient
  /** used for nothing else; both are closed with the bus */
  subscriber: RedisClient
  prefix: string
  /** unique among the nodes */
  nodeId: string
}

export function createRedisBus({ publisher, subscriber, prefix, nodeId }: RedisBusOptions): Bus {
  const local = createMemoryBus()
  const channelOf = (topic: Topic): string => `${prefix}bus:${topic}`
  const topicOf = new Map(topics.map((topic) => [channelOf(topic), topic]))
  let waiting = new Map<Topic, Topics[Topic][]>()
  let scheduled: NodeJS.Immediate | undefined
  let unsent = 0
  /** others have not heard something of this node */
  let lost = false
  /** until then no other node is thought to listen */
  let aloneUntil = -Infinity
  let heardOthersAt = -Infinity
  let closed = false
  const ownHead = `{"from":${JSON.stringify(nodeId)},`

  const send = (topic: Topic, messages: string[]): void => {
    const body = `${ownHead}"messages":[${messages.join(',')}]}`
    if (publisher.status !== 'ready' || unsent + body.length > MAX_UNSENT_CHARACTERS) {
      lost = true
      return
    }
    unsent += body.length
    const sentAt = performance.now()
    publisher.publish(channelOf(topic), body).then(
      (receivers) => {
        unsent -= body.length
        const own = subscriber.status === 'ready' ? 1 : 0
        // Of a cluster's receivers each server knows but its own.
        const isAlone = receivers <= own && !publisher.isCluster && heardOthersAt < sentAt
        aloneUntil = isAlone ? performance.now() + ALONE_MS : -Infinity
        if (!isAlone) tellLost()
      },
      () => {
        unsent -= body.length
        lost = true
      },
    )
  }

  const tellLost = (): void => {
    if (!lost || closed) return
    lost = false
    send('wake', [JSON.stringify({ nodeId: null })])
  }
  publisher.on('ready', tellLost)

  const flush = (): void => {
    scheduled = undefined
    const published = waiting
    waiting = new Map()
    for (const [topic, messages] of published) {
      // To write and to read them takes longer than all else that a tiny job costs the server.
      if (topic === 'jobs' && performance.now() < aloneUntil) {
        lost = true
        continue
      }
      for (const batch of split(serialize(topic, messages))) send(topic, batch)
    }
  }

  subscriber.on('message', (channel: string, body: string) => {
    const topic = topicOf.get(channel)
    if (!topic || closed) return
    if (body.startsWith(ownHead)) return
    heardOthersAt = performance.now()
    aloneUntil = -Infinity
    try {
      const { messages } = JSON.parse(body) as { messages: unknown[] }
      for (const message of deserialize(topic, messages)) local.publish(topic, message)
    } catch (error) {
      log.warn({ error, channel }, 'a message on the bus could not be read')
    }
  })
  /** Others may have told this node nothing, as long as it did not listen. */
  const greet = (): void => {
    lost = true
    tellLost()
  }
  let subscribed = false
  subscriber.on('ready', () => {
    if (!subscribed || closed) return
    // While it was away wake-ups were missed.
    local.publish('wake', { nodeId: null })
    greet()
  })
  subscriber.subscribe(...topicOf.keys()).then(
    () => {
      subscribed = true
      greet()
    },
    (error: unknown) => closed || log.error({ error }, 'the bus could not subscribe'),
  )

  return {
    publish(topic, message) {
      local.publish(topic, message)
      const messages = waiting.get(topic)
      if (messages) messages.push(message)
      else waiting.set(topic, [message])
      scheduled ??= setImmediate(flush)
    },
    subscribe: (topic, listener) => local.subscribe(topic, listener),
    healthy: () => publisher.status === 'ready' && subscriber.status === 'ready',
    async close() {
      clearImmediate(scheduled)
      flush()
      closed = true
      await local.close()
      await Promise.all([closeRedis(publisher), closeRedis(subscriber)])
    },
  }
}

/** Each job is an entry of its own, so that a batch can be split anywhere. */
const serialize = (topic: Topic, messages: Topics[Topic][]): string[] =>
  (topic === 'jobs' ? messages.flat() : messages).map((entry) => JSON.stringify(entry))

function split(texts: string[]): string[][] {
  const batches: string[][] = []
  let room = 0
  for (const text of texts) {
    if (text.length > room) {
      batches.push([])
      room = MAX_CHARACTERS
    }
    batches.at(-1)?.push(text)
    room -= text.length
  }
  return batches
}

const deserialize = <T extends Topic>(topic: T, entries: unknown[]): Topics[T][] =>
  topic === 'jobs' ? [entries as Topics[T]] : (entries as Topics[T][])
