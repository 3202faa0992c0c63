import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import type { Api, ApiDeps } from '../src/api/http.ts'
import { call, createFakeApi, createFakeServices, type FakeServices } from './fakes/services.ts'

const KEY = 'a-key-of-many-characters'
const bearer = { authorization: `Bearer ${KEY}` }

let services: FakeServices
let api: Api | undefined
beforeEach(() => {
  services = createFakeServices()
})
afterEach(async () => {
  await api?.close()
  api = undefined
})

const listen = async (options: Partial<ApiDeps>): Promise<number> => {
  api = createFakeApi(services, options)
  return (await api.listen({ port: 0, host: '127.0.0.1' })).port
}

interface Socket {
  messages: { type: string; id?: string; payload?: unknown }[]
  send(message: unknown): void
  closed: Promise<number>
  until(type: string): Promise<unknown>
  close(): void
}

function open(port: number, headers: Record<string, string> = {}, origin?: string): Socket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', {
    headers,
    ...(origin ? { origin } : {}),
  })
  const messages: Socket['messages'] = []
  const waiting = new Map<string, (payload: unknown) => void>()
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Socket['messages'][number]
    messages.push(message)
    waiting.get(message.type)?.(message.payload)
  })
  const opened = new Promise<void>((resolve) => socket.once('open', () => resolve()))
  const closed = new Promise<number>((resolve) => {
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.once('close', (code) => resolve(code))
    socket.on('error', () => undefined)
  })
  return {
    messages,
    closed,
    send: (message) => void opened.then(() => socket.send(JSON.stringify(message))),
    until: (type) => new Promise((resolve) => waiting.set(type, resolve)),
    close: () => socket.terminate(),
  }
}

const subscribe = (query: string, id = '1') => ({ id, type: 'subscribe', payload: { query } })

describe('with keys', () => {
  it.each([
    ['GET', '/jobs'],
    ['POST', '/jobs'],
    ['POST', '/jobs/bulk'],
    ['GET', '/jobs/x'],
    ['DELETE', '/jobs/x'],
    ['POST', '/jobs/x/retry'],
    ['GET', '/db/jobs'],
    ['GET', '/job-types'],
    ['GET', '/workers'],
    ['GET', '/metrics'],
    ['POST', '/graphql'],
    ['GET', '/graphql?query={__typename}'],
  ])('%s %s asks for one, and says how', async (method, path) => {
    api = createFakeApi(services, { apiKeys: [KEY] })
    const body = method === 'POST' ? { query: '{ __typename }' } : undefined
    const { status, headers, body: problem } = await call(api, method, path, body)
    expect([status, problem.code]).toEqual([401, 'UNAUTHENTICATED'])
    expect(headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect((await call(api, method, path, body, bearer)).status).not.toBe(401)
  })

  it.each(['/healthz', '/readyz', '/docs', '/openapi.json'])('%s asks for none', async (path) => {
    api = createFakeApi(services, { apiKeys: [KEY] })
    expect((await call(api, 'GET', path)).status).toBe(200)
  })

  it('a page that asks for its key by itself is served without one', async () => {
    api = createFakeApi(services, { apiKeys: [KEY] })
    const page = await call(api, 'GET', '/graphql', undefined, { accept: 'text/html' })
    expect(page.status).toBe(200)
  })

  it.each([
    ['another key', 'Bearer another-key-of-many-characters'],
    ['part of a key', `Bearer ${KEY.slice(0, -1)}`],
    ['a longer key', `Bearer ${KEY}x`],
    ['no scheme', KEY],
    ['another scheme', `Basic ${KEY}`],
    ['nothing', ''],
  ])('%s does not let in', async (_what, authorization) => {
    api = createFakeApi(services, { apiKeys: [KEY, 'second-key-of-many-characters'] })
    expect((await call(api, 'GET', '/jobs', undefined, { authorization })).status).toBe(401)
  })

  it('each of several lets in', async () => {
    api = createFakeApi(services, { apiKeys: ['first-key-of-characters', KEY] })
    expect((await call(api, 'GET', '/jobs', undefined, bearer)).status).toBe(200)
  })

  it('a WebSocket gives it in its first message', async () => {
    const port = await listen({ apiKeys: [KEY] })
    const socket = open(port)
    socket.send({ type: 'connection_init', payload: bearer })
    await socket.until('connection_ack')
    socket.send(subscribe('{ jobs { totalCount } }'))
    expect(await socket.until('next')).toEqual({ data: { jobs: { totalCount: 0 } } })
    socket.close()
  })

  it('a WebSocket gives it in its upgrade request', async () => {
    const port = await listen({ apiKeys: [KEY] })
    const socket = open(port, bearer)
    socket.send({ type: 'connection_init' })
    await socket.until('connection_ack')
    socket.close()
  })

  it('a WebSocket with none or a wrong one is closed before it can ask anything', async () => {
    const port = await listen({ apiKeys: [KEY] })
    const none = open(port)
    none.send({ type: 'connection_init' })
    expect(await none.closed).toBe(4403)
    const wrong = open(port)
    wrong.send({ type: 'connection_init', payload: { authorization: 'Bearer wrong' } })
    expect(await wrong.closed).toBe(4403)
    const early = open(port)
    early.send(subscribe('{ jobs { totalCount } }'))
    expect(await early.closed).toBe(4401)
    expect(await open(port, { authorization: 'Bearer wrong' }).closed).toBe(401)
  })
})

describe('pages of other sites', () => {
  const job = { type: 'add_numbers', payload: { a: 1, b: 2 } }

  it('may not submit', async () => {
    api = createFakeApi(services)
    const { status, body } = await call(api, 'POST', '/jobs', job, {
      host: 'localhost:8080',
      origin: 'https://evil.example',
    })
    expect([status, body.code]).toEqual([403, 'FORBIDDEN_ORIGIN'])
    expect(services.jobs.size).toBe(0)
  })

  it('may if their origin is allowed, and the server’s own page always may', async () => {
    api = createFakeApi(services, { corsOrigins: ['https://friend.example'] })
    const friend = { host: 'localhost:8080', origin: 'https://friend.example' }
    const { status, headers } = await call(api, 'POST', '/jobs', job, friend)
    expect([status, headers.get('access-control-allow-origin')]).toEqual([201, friend.origin])
    const own = { host: 'localhost:8080', origin: 'http://localhost:8080' }
    expect((await call(api, 'POST', '/jobs', job, own)).status).toBe(201)
    const preflight = await call(api, 'OPTIONS', '/jobs', undefined, {
      ...friend,
      'access-control-request-method': 'POST',
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
  })

  it('are told nothing by default', async () => {
    api = createFakeApi(services)
    const { headers } = await call(api, 'GET', '/jobs', undefined, {
      origin: 'https://evil.example',
    })
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  it('may not open a WebSocket', async () => {
    const port = await listen({})
    expect(await open(port, {}, 'https://evil.example').closed).toBe(403)
    const own = open(port, {}, `http://127.0.0.1:${port}`)
    own.send({ type: 'connection_init' })
    await own.until('connection_ack')
    own.close()
  })

  it('cannot reach a server on loopback under a name of their own', async () => {
    const port = await listen({})
    const ask = (host: string) => call(api as Api, 'GET', '/jobs', undefined, { host })
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
      expect((await ask(host)).status, host).toBe(200)
    }
    for (const host of [
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
    ]) {
      expect((await ask(host)).status, host).toBe(403)
    }
    expect(await open(port, { host: 'evil.example' }).closed).toBe(403)
  })
})

describe('a WebSocket', () => {
  it('survives a typo in one operation, which is told of it', async () => {
    const port = await listen({})
    const socket = open(port)
    socket.send({ type: 'connection_init' })
    await socket.until('connection_ack')
    socket.send(subscribe('{ jobs {'))
    expect(await socket.until('error')).toMatchObject([
      { message: expect.stringMatching(/Syntax/) },
    ])
    socket.send(subscribe('{ jobTypes { type } }', '2'))
    await socket.until('next')
    socket.close()
  })

  it('may have a hundred operations at a time and not one more', async () => {
    const port = await listen({})
    const socket = open(port)
    socket.send({ type: 'connection_init' })
    await socket.until('connection_ack')
    const refused = socket.until('error')
    for (let i = 0; i <= 100; i += 1)
      socket.send(subscribe('subscription { jobUpdated { id } }', String(i)))
    expect(await refused).toMatchObject([{ extensions: { code: 'TOO_MANY_OPERATIONS' } }])
    socket.close()
  })

  it('tells a job from its present state to its end, and stays open for what may follow', async () => {
    const port = await listen({})
    const [job] = await services.scheduler.submit([
      { type: 'add_numbers', payload: { a: 1, b: 2 } },
    ])
    const id = job?.id ?? ''
    const socket = open(port)
    socket.send({ type: 'connection_init' })
    await socket.until('connection_ack')
    socket.send(subscribe(`subscription { jobUpdated(id: "${id}") { state result } }`))
    await socket.until('next')
    services.change(id, { state: 'RUNNING', attempt: 1 })
    services.complete(id, 3)
    while (socket.messages.filter(({ type }) => type === 'next').length < 3)
      await socket.until('next')
    expect(socket.messages.slice(1).map(({ payload }) => payload)).toMatchObject([
      { data: { jobUpdated: { state: 'QUEUED', result: null } } },
      { data: { jobUpdated: { state: 'RUNNING' } } },
      { data: { jobUpdated: { state: 'COMPLETED', result: 3 } } },
    ])
    socket.close()
  })

  it('is told goodbye when the server closes', async () => {
    const port = await listen({})
    const socket = open(port)
    socket.send({ type: 'connection_init' })
    await socket.until('connection_ack')
    await api?.close()
    expect(await socket.closed).toBe(1001)
  })
})
