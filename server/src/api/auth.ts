import { createHash, timingSafeEqual } from 'node:crypto'
import { problem } from './errors.ts'

export interface AuthOptions {
  /** bearer tokens that let in; null lets everybody in */
  keys: readonly string[] | null
}

/** Whether an `Authorization` header lets its sender in. */
export type Authenticate = (header: string | null | undefined) => boolean

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * Keys are compared as hashes, which all have one length, and every key is compared whatever the
 * others gave: the time taken tells nothing of them.
 */
export function createAuthenticate({ keys }: AuthOptions): Authenticate {
  if (keys === null) return () => true
  const known = keys.map(digest)
  return (header) => {
    const token = /^Bearer +(\S+)\s*$/i.exec(header ?? '')?.[1]
    if (token === undefined) return false
    const given = digest(token)
    return known.reduce((found, key) => timingSafeEqual(key, given) || found, false)
  }
}

export const unauthenticated = (): Response =>
  problem('UNAUTHENTICATED', 'This needs an API key', {
    hint: 'Send the header Authorization: Bearer <key>',
    headers: { 'www-authenticate': 'Bearer realm="heddle"' },
  })
