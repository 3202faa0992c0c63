/**
 * graphql-transport-ws on the path that answers GraphQL over HTTP, through the same Yoga: the same
 * limits, context and masking. A socket is let in by its origin and, where keys are asked for, by a key
 * in its upgrade request or in its first message, as browsers cannot set headers here.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  GraphQLError,
  type ExecutionArgs,
  type GraphQLSchema,
  type parse as parseQuery,
  type validate as validateQuery,
} from 'graphql'
import { useServer, type Extra } from 'graphql-ws/use/ws'
import type { ServerOptions, SubscribePayload } from 'graphql-ws'
import { WebSocketServer } from 'ws'
import type { Authenticate } from '../auth.ts'
import { isFriendly, isOwnName, type GuardOptions } from '../guard.ts'
import type { GraphqlContext } from './builder.ts'
import { checkNesting, type Graphql } from './serve.ts'

export interface WebSocketOptions {
  server: Server
  graphql: Graphql
  authenticate: Authenticate
  guard: GuardOptions
  bodyLimitBytes: number
}

const KEEP_ALIVE_MS = 12_000
const INIT_TIMEOUT_MS = 10_000
const MAX_SOCKETS = 2000
const MAX_OPERATIONS_PER_SOCKET = 100
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024

type Params = Record<string, unknown>

type Execute = NonNullable<ServerOptions['execute']>

interface Executors {
  execute: Execute
  subscribe: Execute
}

/** Yoga's own functions with its plugins around them, which it hands out untyped. */
interface Enveloped extends Executors {
  schema: GraphQLSchema
  parse: typeof parseQuery
  validate: typeof validateQuery
  contextFactory(): Promise<GraphqlContext> | GraphqlContext
}
const executors = ({ rootValue }: ExecutionArgs): Executors => rootValue as Executors

export function attachWebSocket(options: WebSocketOptions): { close(): Promise<void> } {
  const { server, graphql, authenticate } = options
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: Math.min(options.bodyLimitBytes, MAX_MESSAGE_BYTES),
  })
  const disposable = useServer<Params>(
    {
      connectionInitWaitTimeout: INIT_TIMEOUT_MS,
      execute: (args) => executors(args).execute(args),
      subscribe: (args) => executors(args).subscribe(args),
      onConnect: ({ connectionParams, extra }) =>
        authenticate(extra.request.headers.authorization) ||
        authenticate(authorizationIn(connectionParams)),
      onSubscribe: (context, _id, payload) =>
        Object.keys(context.subscriptions).length > MAX_OPERATIONS_PER_SOCKET
          ? [
              new GraphQLError(
                `One socket may have ${MAX_OPERATIONS_PER_SOCKET} operations at a time`,
                { extensions: { code: 'TOO_MANY_OPERATIONS' } },
              ),
            ]
          : prepare(graphql, context.extra, payload),
    },
    sockets,
    KEEP_ALIVE_MS,
  )

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // A client that resets before the handshake must not take the process with it.
    socket.on('error', () => socket.destroy())
    const refusal = refuse(request, options, sockets.clients.size)
    if (refusal) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request))
  }
  server.on('upgrade', onUpgrade)
  return {
    async close() {
      server.off('upgrade', onUpgrade)
      await disposable.dispose()
    },
  }
}

/** The status line of a refusal, or null. */
function refuse(
  { url = '/', headers }: IncomingMessage,
  { guard, authenticate }: WebSocketOptions,
  open: number,
): string | null {
  if (url.split('?')[0] !== '/graphql') return '404 Not Found'
  if (guard.ownNamesOnly() && !isOwnName(headers.host)) return '403 Forbidden'
  if (!isFriendly(headers.origin, headers.host, guard.corsOrigins)) return '403 Forbidden'
  if (headers.authorization !== undefined && !authenticate(headers.authorization)) {
    return '401 Unauthorized'
  }
  return open >= MAX_SOCKETS ? '503 Service Unavailable' : null
}

/** Clients write it as a parameter of its own or among `headers`, in any case. */
function authorizationIn(params: Params | undefined): string | null {
  const given = params?.headers
  const headers = typeof given === 'object' && given !== null ? given : {}
  for (const [name, value] of Object.entries({ ...headers, ...params })) {
    if (name.toLowerCase() === 'authorization' && typeof value === 'string') return value
  }
  return null
}

async function prepare(
  graphql: Graphql,
  extra: Extra,
  payload: SubscribePayload,
): Promise<ExecutionArgs | GraphQLError[]> {
  const enveloped = graphql.getEnveloped({
    req: extra.request,
    socket: extra.socket,
    params: payload,
    request: new Request('http://web-socket/graphql'),
  }) as unknown as Enveloped
  const { schema, execute, subscribe, contextFactory, parse, validate } = enveloped
  const tooDeep = checkNesting(payload.query, payload.variables)
  if (tooDeep) return [tooDeep]
  let document
  try {
    document = parse(payload.query)
  } catch (error) {
    // Thrown on, a typo would close the socket under every other subscription on it.
    return [error instanceof GraphQLError ? error : new GraphQLError('The query cannot be parsed')]
  }
  const errors = validate(schema, document)
  if (errors.length > 0) return [...errors]
  return {
    schema,
    document,
    operationName: payload.operationName ?? null,
    variableValues: payload.variables ?? null,
    contextValue: await contextFactory(),
    rootValue: { execute, subscribe },
  }
}
