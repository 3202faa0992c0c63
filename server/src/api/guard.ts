/**
 * Keeps foreign web pages out. A browser lets any page send requests to localhost, and a name that its
 * owner points at 127.0.0.1 (DNS rebinding) even lets it read the answers. A page cannot choose the
 * Host and Origin headers, so those tell.
 */
import { problem } from './errors.ts'

export interface GuardOptions {
  /** further origins whose pages may call */
  corsOrigins: readonly string[]
  /** bound to loopback with no key asked: only requests addressed to this machine by its own names pass */
  ownNamesOnly(): boolean
}

const OWN_NAMES = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether a page of `origin` belongs to the server that was addressed as `host`, or may call it. */
export function isFriendly(
  origin: string | null | undefined,
  host: string | null | undefined,
  allowed: readonly string[],
): boolean {
  // No browser page sent it: those always name their origin when it is another.
  if (!origin) return true
  if (allowed.includes(origin) || allowed.includes('*')) return true
  try {
    return new URL(origin).host === host?.toLowerCase()
  } catch {
    return false
  }
}

export const isOwnName = (host: string | null | undefined): boolean => OWN_NAMES.test(host ?? '')

/** The refusal, or null for a request that may pass. */
export function guard(request: Request, options: GuardOptions): Response | null {
  const host = request.headers.get('host')
  if (options.ownNamesOnly() && !isOwnName(host)) {
    return problem('FORBIDDEN_ORIGIN', `This server is not called ${host ?? 'so'}`, {
      hint: 'It is bound to this machine: call it localhost or 127.0.0.1, or set HOST and API_KEYS',
    })
  }
  if (SAFE_METHODS.has(request.method)) return null
  const origin = request.headers.get('origin')
  if (isFriendly(origin, host, options.corsOrigins)) return null
  return problem('FORBIDDEN_ORIGIN', `Pages of ${origin ?? 'nowhere'} may not call this server`, {
    hint: 'Allow an origin with CORS_ORIGIN',
  })
}
