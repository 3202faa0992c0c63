import { cacheExchange } from '@urql/exchange-graphcache'
import {
  Client,
  type CombinedError,
  fetchExchange,
  mapExchange,
  subscriptionExchange,
  type TypedDocumentNode,
} from '@urql/core'
import { print } from 'graphql'
import { createClient as createSocket, type Client as Socket } from 'graphql-ws'
import schema from './generated/introspection.json'

const KEY_NAME = 'heddle.api-key'
/** Longest wait before a lost connection is tried again. */
const MAX_RETRY_MS = 5_000
/** A network that drops everything closes nothing: only silence tells. */
const PING_MS = 10_000
const PONG_MS = 5_000
/** graphql-ws closes a socket with this when the key in its first message does not let in. */
const FORBIDDEN = 4403

export type SocketState = 'connecting' | 'open' | 'lost'
/** 'missing' and 'wrong': the server wants a key, and was given none or one that it does not know */
export type KeyState = 'fine' | 'missing' | 'wrong'

/** The server as the pages see it: one client, and whether live changes come through. */
export interface Connection {
  client: Client
  /**
   * Events past the normalized cache, which would render once for each of them. Calls back on every event;
   * a lost connection is taken up again by itself. Returns the way to stop.
   */
  listen<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    onEvent: (data: Data) => void,
  ): () => void
  state(): SocketState
  key(): KeyState
  setKey(key: string): void
  /** counts how often the connection has come back: what was missed meanwhile must be asked for */
  reconnects(): number
  /** calls back on every change of the above; returns the way to stop */
  subscribe(listener: () => void): () => void
}

const embedded = () => null

const isKeyError = (error: CombinedError): boolean =>
  (error.response as Response | undefined)?.status === 401 ||
  error.graphQLErrors.some(({ extensions }) => extensions.code === 'UNAUTHENTICATED')

const authorization = (): Record<string, string> => {
  const key = localStorage.getItem(KEY_NAME)
  return key ? { authorization: `Bearer ${key}` } : {}
}

export function createConnection(location: Pick<Location, 'protocol' | 'host'>): Connection {
  const listeners = new Set<() => void>()
  let state: SocketState = 'connecting'
  let key: KeyState = 'fine'
  let reconnects = 0
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  const moveTo = (next: SocketState): void => {
    if (next === 'open' && state === 'lost') reconnects += 1
    state = next
    tell()
  }
  const wantKey = (): void => {
    if (key !== 'fine') return
    key = localStorage.getItem(KEY_NAME) === null ? 'missing' : 'wrong'
    tell()
  }

  let silence: ReturnType<typeof setTimeout> | undefined
  const socket: Socket = createSocket({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    connectionParams: authorization,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => key === 'fine',
    retryWait: (retries) =>
      new Promise((resolve) => setTimeout(resolve, Math.min(250 * 2 ** retries, MAX_RETRY_MS))),
    connectionAckWaitTimeout: PONG_MS,
    keepAlive: PING_MS,
    // Connected also where a page watches nothing, so that the shell can tell a lost server at once.
    lazy: false,
    onNonLazyError: () => undefined,
    on: {
      connected: () => moveTo('open'),
      ping: (received) => {
        if (!received) silence = setTimeout(() => socket.terminate(), PONG_MS)
      },
      pong: () => clearTimeout(silence),
      closed: (event) => {
        clearTimeout(silence)
        if ((event as CloseEvent).code === FORBIDDEN) wantKey()
        moveTo('lost')
      },
    },
  })

  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    fetchOptions: () => ({ headers: authorization() }),
    exchanges: [
      mapExchange({
        onError(error) {
          if (isKeyError(error)) wantKey()
        },
      }),
      cacheExchange({
        schema: schema as never,
        keys: {
          Attempt: embedded,
          EstimatedStart: embedded,
          JobConnection: embedded,
          JobCounts: embedded,
          JobEdge: embedded,
          JobError: embedded,
          JobSchedule: embedded,
          JobType: (type) => type.type as string,
          Metrics: embedded,
          MetricsPoint: embedded,
          PageInfo: embedded,
          WorkerThread: embedded,
        },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { ...request, query: request.query ?? '' },
              sink as never,
            ),
          }),
        }),
      }),
    ],
  })

  return {
    client,
    listen: (document, variables, onEvent) =>
      socket.subscribe<never>(
        { query: print(document), variables: variables as Record<string, unknown> },
        {
          next: ({ data }) => data && onEvent(data),
          // The socket's state tells of lost connections, and the page's query of a refused one.
          error: () => undefined,
          complete: () => undefined,
        },
      ),
    state: () => state,
    key: () => key,
    setKey(given) {
      localStorage.setItem(KEY_NAME, given)
      // Every page asks anew, over HTTP and over the socket.
      window.location.reload()
    },
    reconnects: () => reconnects,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
