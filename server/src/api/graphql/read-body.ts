import { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { readBytes } from '../json-body.ts'

const tooLarge = (): GraphQLError =>
  new GraphQLError('Request body too large', {
    extensions: { code: 'REQUEST_ENTITY_TOO_LARGE', http: { status: 413 } },
  })

const decoder = new TextDecoder()

async function readJson(request: Request, limit: number): Promise<unknown> {
  const bytes = await readBytes(request, limit)
  if (!bytes) throw tooLarge()
  return JSON.parse(decoder.decode(bytes))
}

/**
 * Limits bodies as Yoga's own `maxRequestBodySize` would, but reads them at once: Yoga pipes each body
 * through a stream, into a request made anew.
 */
export function limitBody(limit: number): Plugin {
  return {
    onRequestParse({ request, requestParser, setRequestParser }) {
      if (request.method !== 'POST' || !requestParser) return
      // Only JSON comes this far, and this is all that Yoga's parser of it uses. It stays in charge of what is
      // said of a body that is not right.
      const body = { json: () => readJson(request, limit) } as Request
      setRequestParser(() => requestParser(body))
    },
  }
}
