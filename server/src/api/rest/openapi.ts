import { z } from 'zod'
import { MAX_BATCH, type JobTypeView } from '../context.ts'
import { exampleOf } from '../payload-example.ts'
import {
  BulkBody,
  FairShareBody,
  FairSharesBody,
  JobBody,
  JobsBody,
  JobTypesBody,
  ProblemBody,
  WorkersBody,
} from './bodies.ts'
import { FairWeightBody } from './fair-weight.ts'
import { JobQuery, ListQuery } from './queries.ts'
import { SubmitBody } from './submit-body.ts'

type Json = Record<string, unknown>

/** OpenAPI 3.1 speaks the dialect of JSON Schema that zod writes. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const content = (schema: Json, example?: unknown, type = 'application/json'): Json => ({
  [type]: { schema, ...(example === undefined ? {} : { example }) },
})
const answer = (description: string, name: string): Json => ({
  description,
  content: content(reference(name)),
})

const problems: Record<string, string> = {
  400: 'What was sent is not valid',
  401: 'An API key is needed',
  404: 'No such job',
  405: 'This method is not supported here',
  409: 'The job is not in a state for this',
  413: 'The body is too large',
  415: 'The body must be JSON',
  429: 'The queue is full: try again after Retry-After',
  503: 'The database cannot be reached, or the node is shutting down: try again after Retry-After',
}
const refusals = (...statuses: number[]): Json =>
  Object.fromEntries(
    [...statuses, 401, 503].sort().map((status) => [
      status,
      {
        description: problems[status],
        content: content(reference('Problem'), undefined, 'application/problem+json'),
      },
    ]),
  )

const idParameter = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', format: 'uuid' },
}

function queryParameters(query: z.ZodType): Json[] {
  const { properties = {} } = schemaOf(query, 'input') as { properties?: Record<string, Json> }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    ...(description === undefined ? {} : { description }),
    schema,
  }))
}

/** References inside a job type's own schema lead to its own definitions. */
function rebase(schema: unknown, root: string): unknown {
  if (Array.isArray(schema)) return schema.map((part) => rebase(part, root))
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== '$schema')
      .map(([key, value]) =>
        key === '$ref' && typeof value === 'string'
          ? [key, value === '#' ? root : value.replace(/^#\//, `${root}/`)]
          : [key, rebase(value, root)],
      ),
  )
}

/** Component names may not have other characters. */
const payloadName = (type: string): string => `Payload_${type.replaceAll(/[^\w.-]/g, '_')}`

function payloadSchemas(types: readonly JobTypeView[]): Json {
  return Object.fromEntries(
    types.map(({ type, description, payloadSchema }) => {
      const name = payloadName(type)
      const schema = rebase(payloadSchema, `#/components/schemas/${name}`) as Json
      return [
        name,
        { ...schema, ...(description ? { title: type, description } : { title: type }) },
      ]
    }),
  )
}

function submitSchema(types: readonly JobTypeView[]): Json {
  const { properties = {}, ...rest } = schemaOf(SubmitBody, 'input') as { properties?: Json }
  return {
    ...rest,
    required: ['type'],
    properties: {
      ...properties,
      type: { type: 'string', enum: types.map(({ type }) => type) },
      payload: { anyOf: types.map(({ type }) => reference(payloadName(type))) },
      run_at: { type: ['string', 'null'], format: 'date-time' },
    },
  }
}

const exampleJob = (jobType: JobTypeView): Json => ({
  name: jobType.description ?? jobType.type,
  type: jobType.type,
  priority: 10,
  thread_demand: jobType.parallel ? 4 : 1,
  payload: exampleOf(jobType.payloadSchema),
})

/** REST as OpenAPI 3.1, with the payload of each registered job type. */
export function describeRest(types: readonly JobTypeView[]): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Heddle',
      version: '1',
      description:
        'Submit jobs, watch them, and read what became of them. Errors are problem details (RFC 9457).',
    },
    servers: [{ url: '/' }],
    security: [{}, { key: [] }],
    tags: [{ name: 'jobs' }, { name: 'server' }],
    paths: { ...listPaths(types), ...bulkPath(types), ...jobPaths(), ...serverPaths() },
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      schemas: {
        Job: schemaOf(JobBody),
        Jobs: schemaOf(JobsBody),
        BulkJobs: schemaOf(BulkBody),
        Problem: schemaOf(ProblemBody),
        JobTypes: schemaOf(JobTypesBody),
        Workers: schemaOf(WorkersBody),
        FairShares: schemaOf(FairSharesBody),
        FairShare: schemaOf(FairShareBody),
        FairWeight: schemaOf(FairWeightBody, 'input'),
        SubmitJob: submitSchema(types),
        ...payloadSchemas(types),
      },
    },
  }
}

function listPaths(types: readonly JobTypeView[]): Json {
  const tags = ['jobs']
  const examples = Object.fromEntries(
    types.map((jobType) => [jobType.type, { value: exampleJob(jobType) }]),
  )
  const keyHeader = {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'A second submission with the same key gives the first job back',
    schema: { type: 'string', maxLength: 200 },
  }
  return {
    '/jobs': {
      post: {
        tags,
        summary: 'Submit a job',
        description: 'Answers when the job is committed.',
        parameters: [keyHeader],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: reference('SubmitJob'), examples } },
        },
        responses: { 201: answer('Accepted', 'Job'), ...refusals(400, 409, 413, 415, 429) },
      },
      get: {
        tags,
        summary: 'Active jobs, last submitted first',
        parameters: queryParameters(ListQuery),
        responses: { 200: answer('A page', 'Jobs'), ...refusals(400) },
      },
    },
    '/db/jobs': {
      get: {
        tags,
        summary: 'History: ended jobs, last ended first',
        parameters: queryParameters(ListQuery),
        responses: { 200: answer('A page', 'Jobs'), ...refusals(400) },
      },
    },
  }
}

function bulkPath(types: readonly JobTypeView[]): Json {
  const tags = ['jobs']
  return {
    '/jobs/bulk': {
      post: {
        tags,
        summary: 'Submit many jobs',
        description: `Up to ${MAX_BATCH}: all are accepted, or none is.`,
        requestBody: {
          required: true,
          content: content(
            {
              type: 'object',
              required: ['jobs'],
              additionalProperties: false,
              properties: {
                jobs: {
                  type: 'array',
                  minItems: 1,
                  maxItems: MAX_BATCH,
                  items: reference('SubmitJob'),
                },
              },
            },
            { jobs: types.slice(0, 2).map(exampleJob) },
          ),
        },
        responses: { 201: answer('Accepted', 'BulkJobs'), ...refusals(400, 409, 413, 415, 429) },
      },
    },
  }
}

function jobPaths(): Json {
  const tags = ['jobs']
  return {
    '/jobs/{id}': {
      parameters: [idParameter],
      get: {
        tags,
        summary: 'One job, active or ended, with its payload and result',
        parameters: queryParameters(JobQuery),
        responses: { 200: answer('The job', 'Job'), ...refusals(400, 404) },
      },
      delete: {
        tags,
        summary: 'Cancel a job',
        responses: {
          200: answer('Cancelled', 'Job'),
          202: answer('Running: told to stop, and ends shortly after', 'Job'),
          ...refusals(404, 409),
        },
      },
    },
    '/jobs/{id}/retry': {
      parameters: [idParameter],
      post: {
        tags,
        summary: 'Put an ended job back in the queue',
        responses: { 200: answer('Queued again, under the same id', 'Job'), ...refusals(404, 409) },
      },
    },
  }
}

function serverPaths(): Json {
  const tags = ['server']
  const status = (summary: string, more: Json = {}): Json => ({
    get: { tags, summary, security: [{}], responses: { 200: { description: 'Yes' }, ...more } },
  })
  return {
    '/job-types': {
      get: {
        tags,
        summary: 'What can be submitted',
        responses: { 200: answer('The job types', 'JobTypes'), ...refusals() },
      },
    },
    '/workers': {
      get: {
        tags,
        summary: 'Workers of the whole cluster',
        responses: { 200: answer('The workers', 'Workers'), ...refusals() },
      },
    },
    '/fair-shares': {
      get: {
        tags,
        summary: 'What each fairness key has used of late, most first',
        responses: { 200: answer('At most 500 keys', 'FairShares'), ...refusals() },
      },
    },
    '/fair-shares/{key}': {
      parameters: [{ ...idParameter, name: 'key', schema: { type: 'string' } }],
      put: {
        tags,
        summary: 'Weigh the jobs of a key that are submitted from now on',
        requestBody: { required: true, content: content(reference('FairWeight'), { weight: 2 }) },
        responses: { 200: answer('The key', 'FairShare'), ...refusals(400, 413, 415) },
      },
    },
    '/metrics': {
      get: {
        tags,
        summary: 'Metrics in Prometheus text format',
        responses: {
          200: {
            description: 'The metrics',
            content: content({ type: 'string' }, undefined, 'text/plain'),
          },
          ...refusals(),
        },
      },
    },
    '/healthz': status('Is the process alive?'),
    '/readyz': status('Can it take jobs?', { 503: { description: 'No' } }),
  }
}
