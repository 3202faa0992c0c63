/**
 * The bus between nodes. What is published within one tick travels as one message per topic. A message
 * says which node it is from, because Redis brings it back to its sender, who has told its own listeners
 * already. While Redis is away messages are dropped, not kept: they are hints, and the tables have it all. The others
 * are told of it afterwards, so that they look there.
 *
 * To write and to read jobs takes longer than all else that a tiny job costs a server. They are therefore told to
 * others only while one says that it listens to them, and so many in a second. Of the rest it is told that there is
 * something to be read anew.
 */
import { log } from '../log.ts'
import { createAudience } from './audience.ts'
import type { Bus, Topic, Topics } from './bus.ts'
import { closeRedis, type RedisClient } from './connect.ts'
import { createListening } from './listening.ts'
import { createMemoryBus } from './memory.ts'

/** Larger batches are split. */
const MAX_CHARACTERS = 512 * 1024
/** Given to a slow connection and not yet taken: beyond this new messages are dropped. */
const MAX_UNSENT_CHARACTERS = 16 * 1024 * 1024

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
  const listeningChannel = `${prefix}bus:listening`
  const whoListensChannel = `${prefix}bus:who-listens`
  const topicOf = new Map(topics.map((topic) => [channelOf(topic), topic]))
  let waiting = new Map<Topic, Topics[Topic][]>()
  let scheduled: NodeJS.Immediate | undefined
  let unsent = 0
  /** Redis has not taken something */
  let lost = false
  let closed = false
  const ownHead = `{"from":${JSON.stringify(nodeId)},`

  const send = (channel: string, messages: string[]): void => {
    const body = `${ownHead}"messages":[${messages.join(',')}]}`
    if (publisher.status !== 'ready' || unsent + body.length > MAX_UNSENT_CHARACTERS) {
      lost = true
      return
    }
    unsent += body.length
    publisher.publish(channel, body).then(
      () => {
        unsent -= body.length
        tellLost()
      },
      () => {
        unsent -= body.length
        lost = true
      },
    )
  }
  const haveOthersLook = (): void =>
    send(channelOf('wake'), [JSON.stringify({ nodeId: null } satisfies Topics['wake'])])
  const lookHere = (): void => local.publish('wake', { nodeId: null })
  const tellLost = (): void => {
    if (!lost || closed) return
    lost = false
    haveOthersLook()
  }

  const audience = createAudience(haveOthersLook)
  const listening = createListening({
    async begin() {
      await subscriber.subscribe(channelOf('jobs'))
      // Of what was told before this node knows nothing.
      lookHere()
    },
    say: () => send(listeningChannel, []),
    end: () => subscriber.unsubscribe(channelOf('jobs')),
  })

  const flush = (): void => {
    scheduled = undefined
    const published = waiting
    waiting = new Map()
    for (const [topic, messages] of published) {
      for (const batch of split(serialize(topic, messages))) send(channelOf(topic), batch)
    }
  }

  subscriber.on('message', (channel: string, body: string) => {
    if (closed || body.startsWith(ownHead)) return
    if (channel === listeningChannel) return audience.isThere()
    if (channel === whoListensChannel) return listening.sayAgain()
    const topic = topicOf.get(channel)
    if (!topic) return
    try {
      const { messages } = JSON.parse(body) as { messages: unknown[] }
      for (const message of deserialize(topic, messages)) local.publish(topic, message)
    } catch (error) {
      log.warn({ error, channel }, 'a message on the bus could not be read')
    }
  })
  let subscribed = false
  const greet = (): void => {
    if (!subscribed || closed) return
    send(whoListensChannel, [])
    listening.sayAgain()
  }
  const hearsAgain = (): void => {
    if (!subscribed || closed) return
    // Of what was told while it did not hear the others this node knows nothing.
    lookHere()
    greet()
  }
  publisher.on('ready', () => {
    tellLost()
    greet()
  })
  subscriber.on('ready', hearsAgain)
  const always = topics.filter((topic) => topic !== 'jobs').map(channelOf)
  subscriber.subscribe(listeningChannel, whoListensChannel, ...always).then(
    () => {
      subscribed = true
      hearsAgain()
    },
    (error: unknown) => closed || log.error({ error }, 'the bus could not subscribe'),
  )

  return {
    publish(topic, message) {
      local.publish(topic, message)
      const told = topic === 'jobs' ? audience.admit(message as Topics['jobs']) : message
      if (Array.isArray(told) && told.length === 0) return
      const messages = waiting.get(topic)
      if (messages) messages.push(told)
      else waiting.set(topic, [told])
      scheduled ??= setImmediate(flush)
    },
    subscribe(topic, listener) {
      const off = local.subscribe(topic, listener)
      return topic === 'jobs' ? listening.during(off) : off
    },
    healthy: () => publisher.status === 'ready' && subscriber.status === 'ready',
    async close() {
      clearImmediate(scheduled)
      flush()
      closed = true
      audience.close()
      listening.close()
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
