const ALLOWED_METHODS = 'GET, POST, PUT, DELETE'
const ALLOWED_HEADERS = 'authorization, content-type, idempotency-key'
const EXPOSED_HEADERS = 'location, retry-after'

const allows = (origin: string | null, allowed: readonly string[]): origin is string =>
  origin !== null && (allowed.includes(origin) || allowed.includes('*'))

/** The answer to a browser that asks before it sends; null for any other request. */
export function preflight(request: Request, allowed: readonly string[]): Response | null {
  const asks = request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
  if (!asks || !allows(request.headers.get('origin'), allowed)) return null
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': ALLOWED_METHODS,
      'access-control-allow-headers': ALLOWED_HEADERS,
      'access-control-max-age': '600',
    },
  })
}

/** Lets pages of the allowed origins read the answer. Keys are sent by hand, so cookies never are. */
export function addCors(
  response: Response,
  origin: string | null,
  allowed: readonly string[],
): Response {
  if (allowed.length === 0) return response
  response.headers.append('vary', 'origin')
  if (!allows(origin, allowed)) return response
  response.headers.set('access-control-allow-origin', origin)
  response.headers.set('access-control-expose-headers', EXPOSED_HEADERS)
  return response
}
