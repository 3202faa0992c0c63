import { EnvelopArmor } from '@escape.tech/graphql-armor'
import { GraphQLError, type DocumentNode } from 'graphql'
import { createYoga, type Plugin } from 'graphql-yoga'
import type { ApiServices } from '../context.ts'
import { toGraphqlError } from '../errors.ts'
import { createApiResponseClass } from '../headers.ts'
import { isTooDeep } from '../json-body.ts'
import type { GraphqlContext } from './builder.ts'
import { createDocumentLoader } from './documents.ts'
import { createDocumentCache } from './document-cache.ts'
import { nestingOf } from './nesting.ts'
import { createJobNews } from './job-news.ts'
import { createPace } from './pace.ts'
import { limitBody } from './read-body.ts'
import { buildSchema } from './schema.ts'

export interface GraphqlOptions {
  services: ApiServices
  bodyLimitBytes: number
}

/**
 * How large a query may be before anything of it is looked up; its cost is limited by the complexity
 * plugin, which knows the schema.
 */
const LIMITS = {
  maxDepth: { n: 14 },
  maxAliases: { n: 50 },
  maxDirectives: { n: 50 },
  maxTokens: { n: 2000 },
  costLimit: { enabled: false },
  blockFieldSuggestion: { enabled: false },
}

const MAX_NESTING = 100

const tooDeep = (what: string): GraphQLError =>
  new GraphQLError(`The ${what} nest too deep`, { extensions: { code: 'INVALID_ARGUMENT' } })

/** Refuses what would overflow the stack of the code that walks it: parsing, coercion, serialization. */
export function checkNesting(query: unknown, variables: unknown): GraphQLError | null {
  if (typeof query === 'string' && nestingOf(query) > MAX_NESTING)
    return tooDeep('brackets of the query')
  return isTooDeep(variables) ? tooDeep('variables') : null
}

const shallowInput: Plugin = {
  onParams({ params }) {
    const error = checkNesting(params.query, params.variables)
    if (error) throw error
  },
}

/** GraphQL over HTTP and server-sent events; `web-socket.ts` runs its operations over WebSockets. */
export function createGraphql({ services, bodyLimitBytes }: GraphqlOptions) {
  const pace = createPace()
  const news = createJobNews(services.bus, services.read)
  const armor = new EnvelopArmor(LIMITS).protect()
  return createYoga<object, GraphqlContext>({
    schema: buildSchema(services.registry),
    graphqlEndpoint: '/graphql',
    landingPage: false,
    graphiql: false,
    multipart: false,
    logging: false,
    // Yoga's own limit is slow: `limitBody` has it.
    maxRequestBodySize: false,
    // Yoga's own Response would be read as a stream to be written.
    fetchAPI: { Response: createApiResponseClass(), ReadableStream },
    // Cross-origin rules are the same for every route: http.ts has them.
    cors: false,
    parserAndValidationCache: { documentCache: createDocumentCache<DocumentNode>() },
    maskedErrors: { maskError: toGraphqlError },
    plugins: [limitBody(bodyLimitBytes), shallowInput, ...armor.plugins],
    context: () => ({ ...services, documents: createDocumentLoader(services.read), news, pace }),
  })
}

export type Graphql = ReturnType<typeof createGraphql>
