/**
 * One server for everything: GraphQL over HTTP, server-sent events and WebSockets, REST, health,
 * documentation, and the dashboard. Each request goes the way `handle` shows, top to bottom.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { createAdmission } from './admission.ts'
import { createAuthenticate, unauthenticated } from './auth.ts'
import type { ApiServices } from './context.ts'
import { addCors, preflight } from './cors.ts'
import { createDashboard } from './dashboard.ts'
import { createDocsPage } from './docs-page.ts'
import { problem, toProblem } from './errors.ts'
import { createGraphiql } from './graphql/graphiql.ts'
import { createGraphql } from './graphql/serve.ts'
import { attachWebSocket } from './graphql/web-socket.ts'
import { guard, isOwnName, type GuardOptions } from './guard.ts'
import { secure } from './headers.ts'
import { createHealth } from './health.ts'
import { isJsonType } from './json-body.ts'
import { createRest } from './rest/routes.ts'

export interface ApiDeps extends ApiServices {
  /** bearer tokens that let in; null lets everybody in */
  apiKeys: readonly string[] | null
  /** largest request body; 32 MiB unless told */
  bodyLimitBytes?: number
  /** origins whose pages may call this server from a browser; `*` for any */
  corsOrigins?: readonly string[]
  /** folder of the built dashboard */
  webRoot: string
}

export interface Api {
  /** answers a request without a socket */
  fetch(request: Request): Promise<Response>
  /** Rejects with Node's error, e.g. EADDRINUSE. Port 0 takes a free one. */
  listen(options: { port: number; host: string }): Promise<{ port: number }>
  /** Tells sockets goodbye (1001), lets requests under way finish, then cuts what is left. Safe to call twice. */
  close(): Promise<void>
}

const MIB = 1024 * 1024
const HEADERS_TIMEOUT_MS = 20_000
const REQUEST_TIMEOUT_MS = 120_000
/** Longer than the usual idle limit of a proxy in front (60 s), so that the proxy closes first. */
const KEEP_ALIVE_MS = 65_000
const MAX_CONNECTIONS = 10_000
const MAX_REQUESTS = 5_000
/** How many bodies of the largest size may be under way at once. */
const BODIES_UNDER_WAY = 16
/** How long requests under way may take when the server closes. */
const CLOSE_MS = 3_000

export function createApi(deps: ApiDeps): Api {
  const { corsOrigins = [], bodyLimitBytes = 32 * MIB } = deps
  const authenticate = createAuthenticate({ keys: deps.apiKeys })
  let loopback = false
  const guardOptions: GuardOptions = {
    corsOrigins,
    ownNamesOnly: () => loopback && deps.apiKeys === null,
  }
  const admit = createAdmission({
    maxRequests: MAX_REQUESTS,
    maxBytes: BODIES_UNDER_WAY * bodyLimitBytes,
  })
  // Made before the routes: it puts a Response in place that is written without a stream between.
  const listener = getRequestListener((request, { incoming, outgoing }) =>
    admit(outgoing, incoming.headers['content-length']) ? handle(request) : secure(busy()),
  )
  const { app, graphql } = createRoutes(deps, authenticate, bodyLimitBytes)

  const handle = async (request: Request): Promise<Response> => {
    const refusal = guard(request, guardOptions)
    if (refusal) return secure(refusal)
    const origin = request.headers.get('origin')
    const response = preflight(request, corsOrigins) ?? (await app.fetch(request))
    return addCors(secure(response), origin, corsOrigins)
  }

  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => void listener(request, response),
  )
  server.maxConnections = MAX_CONNECTIONS
  const sockets = attachWebSocket({
    server,
    graphql,
    authenticate,
    guard: guardOptions,
    bodyLimitBytes,
  })

  let closing: Promise<void> | null = null
  return {
    fetch: handle,
    async listen({ port, host }) {
      loopback = isOwnName(host.includes(':') ? `[${host}]` : host)
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => {
          server.off('error', reject)
          resolve()
        })
      })
      return { port: (server.address() as AddressInfo).port }
    },
    close: () => (closing ??= sockets.close().then(() => closeServer(server))),
  }
}

const busy = (): Response =>
  problem('BUSY', 'This node has as many requests under way as it can hold', {
    hint: 'Try again in a second',
    headers: { 'retry-after': '1' },
  })

function closeServer(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve()
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}

/** Paths that are answered without a key: they tell nothing of any job. */
const isOpen = (path: string): boolean => path === '/openapi.json'

const wantsPage = (request: Request): boolean =>
  (request.method === 'GET' || request.method === 'HEAD') &&
  (request.headers.get('accept') ?? '').includes('text/html')

/** The dashboard's own routes may bear the names of REST's: a browser's address bar asks for the page. */
const API_PATH = /^\/(jobs|db|job-types|workers|metrics|openapi\.json)(\/|$)/

function createRoutes(
  deps: ApiDeps,
  authenticate: (header: string | undefined) => boolean,
  bodyLimitBytes: number,
) {
  const dashboard = createDashboard(deps.webRoot)
  const graphql = createGraphql({ services: deps, bodyLimitBytes })
  const graphiql = createGraphiql()
  const app = new Hono()
  app.onError((error) => toProblem(error))

  app.route('/', createHealth(deps))
  app.route('/', createDocsPage())
  app.use('*', async (c, next) => {
    const { path } = c.req
    if (path === '/graphql') {
      if (wantsPage(c.req.raw)) return graphiql(c.req.raw)
    } else if (wantsPage(c.req.raw) && !/^\/(db|metrics|openapi\.json)(\/|$)/.test(path)) {
      const page = (await dashboard.file(path)) ?? (await dashboard.page())
      if (page) return page
    } else if (!API_PATH.test(path)) {
      if (path === '/') return (await dashboard.page()) ?? next()
      const served = await dashboard.file(path)
      if (served) return served
    }
    return next()
  })
  app.use('*', async (c, next) => {
    const closed = API_PATH.test(c.req.path) || c.req.path === '/graphql'
    if (closed && !isOpen(c.req.path) && !authenticate(c.req.header('authorization'))) {
      return unauthenticated()
    }
    return next()
  })
  app.all('/graphql', async (c) => {
    // A form of another site can send any other type without the browser asking first.
    if (c.req.method === 'POST' && !isJsonType(c.req.header('content-type'))) {
      return problem('UNSUPPORTED_MEDIA_TYPE', 'GraphQL requests are sent as JSON', {
        hint: 'Send the header Content-Type: application/json',
      })
    }
    // Not `fetch`: that makes an abort signal for each request, and nothing here listens to it.
    return graphql.handleRequest(c.req.raw, {})
  })
  app.route('/', createRest({ services: deps, bodyLimitBytes }))
  app.notFound((c) =>
    problem('NOT_FOUND', `Nothing is at ${c.req.path}`, {
      hint: 'GET /openapi.json or /docs tells what is where',
    }),
  )
  return { app, graphql }
}
