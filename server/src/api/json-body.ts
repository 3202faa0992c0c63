import { HeddleError } from '../core/errors.ts'

/** Deeper nesting is no job's data, and overflows the stack of whatever walks it. */
const MAX_NESTING = 200

/** Whether a parsed JSON value nests deeper than code that recurses over it can bear. */
export function isTooDeep(value: unknown, limit = MAX_NESTING): boolean {
  let level: object[] = isContainer(value) ? [value] : []
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= limit) return true
    const next: object[] = []
    for (const container of level) {
      const children: unknown[] = Array.isArray(container) ? container : Object.values(container)
      for (const child of children) if (isContainer(child)) next.push(child)
    }
    level = next
  }
  return false
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null

const tooLarge = (limit: number): HeddleError =>
  new HeddleError('BODY_TOO_LARGE', `The body may have ${limit} bytes`, {
    hint: 'Send less, or raise BODY_LIMIT_MB',
  })

/** The body's bytes, read no further than the limit; null for a longer one. */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array | null> {
  const length = request.headers.get('content-length')
  if (length !== null) {
    if (Number(length) > limit) return null
    return new Uint8Array(await request.arrayBuffer())
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > limit) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The parsed body. MALFORMED_JSON, BODY_TOO_LARGE. */
export async function readJson(request: Request, limit: number): Promise<unknown> {
  const bytes = await readBytes(request, limit)
  if (!bytes) throw tooLarge(limit)
  if (bytes.length === 0) {
    throw new HeddleError('MALFORMED_JSON', 'The body is empty', {
      hint: 'Send the job as a JSON object',
    })
  }
  const body = parseJson(bytes)
  if (isTooDeep(body)) {
    throw new HeddleError('MALFORMED_JSON', `The body nests deeper than ${MAX_NESTING} levels`)
  }
  return body
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'it is not UTF-8'
    throw new HeddleError('MALFORMED_JSON', `The body is not JSON: ${reason}`)
  }
}

export const isJsonType = (contentType: string | null | undefined): boolean =>
  /^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(contentType ?? '')
