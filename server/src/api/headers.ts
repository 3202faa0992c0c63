import { createHash } from 'node:crypto'

const everywhere: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
}

const base = "default-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"
const looks = "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:"

/** What an API answer may do in a browser: nothing. */
export const apiPolicy = "default-src 'none'; frame-ancestors 'none'"

/** Scripts of its own and the inline ones that stand in its page, known by their hashes. */
export function dashboardPolicy(html: string): string {
  const inline = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/gi)]
    .map(([, script = '']) => createHash('sha256').update(script).digest('base64'))
    .map((hash) => ` 'sha256-${hash}'`)
  return `${base}; ${looks}; script-src 'self'${inline.join('')}`
}

export const docsPolicy = `${base}; ${looks}; script-src 'self'`

/** GraphiQL is one page with its scripts inlined; its editor runs workers made from text. */
export const graphiqlPolicy =
  `${base}; ${looks}; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; ` +
  "worker-src 'self' blob:; connect-src 'self' ws: wss:"

/** What an answer of the API carries unless it says otherwise. */
const ofApi: Record<string, string> = {
  ...everywhere,
  'content-security-policy': apiPolicy,
  'cache-control': 'no-store',
}

/** Answers that have those from the start. */
const secured = new WeakSet<Response>()

/**
 * An answer of the API with all its headers. Given as a plain record they are written as they are: looked at
 * later they become a Headers object first, at three times the cost. Names are in lower case, so that an
 * answer's own replace the others.
 */
export function apiResponse(
  text: string,
  status: number,
  headers: Record<string, string>,
): Response {
  // Object.assign, as spreading two records is seven times slower.
  const response = new Response(text, { status, headers: Object.assign({}, ofApi, headers) })
  secured.add(response)
  return response
}

/**
 * The same for who makes answers of a class it is given. Made when it is asked for, as the HTTP adapter puts
 * its own Response in place of Node's.
 */
export const createApiResponseClass = (): typeof Response =>
  class extends Response {
    constructor(body?: BodyInit | null, init: ResponseInit = {}) {
      const own = init.headers ?? {}
      const given = own instanceof Headers || Array.isArray(own) ? [...own] : Object.entries(own)
      const headers: Record<string, string> = Object.assign({}, ofApi)
      for (const [name = '', value = ''] of given) headers[name.toLowerCase()] = value
      super(body, { ...init, headers })
      secured.add(this)
    }
  }

/** Adds what every answer carries and leaves what the route said of itself. */
export function secure(response: Response): Response {
  if (secured.has(response)) return response
  for (const [name, value] of Object.entries(ofApi)) {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  return response
}
