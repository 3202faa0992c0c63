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

/** Adds what every answer carries and leaves what the route said of itself. */
export function secure(response: Response): Response {
  const set = (name: string, value: string): void => {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  for (const [name, value] of Object.entries(everywhere)) set(name, value)
  set('content-security-policy', apiPolicy)
  set('cache-control', 'no-store')
  return response
}
