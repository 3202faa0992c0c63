import { Hono, type Context } from 'hono'
import { HeddleError } from '../../core/errors.ts'
import type { Job } from '../../core/job.ts'
import type { Page } from '../../store/read.ts'
import type { ApiServices } from '../context.ts'
import { problem } from '../errors.ts'
import { apiResponse } from '../headers.ts'
import { isJsonType, readJson } from '../json-body.ts'
import { metricsText } from '../health.ts'
import { exampleOf } from '../payload-example.ts'
import { fairShareView, jobsText, jobView, scheduleView, type Include } from './job-view.ts'
import { describeRest } from './openapi.ts'
import { parseJobQuery, parseListQuery, type ListRequest } from './queries.ts'
import { toWeight } from './fair-weight.ts'
import { inRestWords, toSubmitRequest, toSubmitRequests } from './submit-body.ts'

export interface RestOptions {
  services: ApiServices
  bodyLimitBytes: number
}

const json = (text: string, status = 200, headers: Record<string, string> = {}): Response =>
  apiResponse(text, status, { 'content-type': 'application/json', ...headers })

/** Which methods each path knows; others get 405 with this list. */
const methods: Record<string, string> = {
  '/jobs': 'GET, POST',
  '/jobs/bulk': 'POST',
  '/jobs/:id': 'GET, DELETE',
  '/jobs/:id/retry': 'POST',
  '/db/jobs': 'GET',
  '/job-types': 'GET',
  '/workers': 'GET',
  '/fair-shares': 'GET',
  '/fair-shares/:key': 'PUT',
  '/metrics': 'GET',
  '/openapi.json': 'GET',
}

export function createRest(options: RestOptions) {
  const rest = new Hono()
  addWrites(rest, options)
  addReads(rest, options.services)
  for (const [route, allow] of Object.entries(methods)) {
    rest.all(route, (c) =>
      problem('METHOD_NOT_ALLOWED', `${c.req.method} is not supported here, but ${allow} is`, {
        headers: { allow },
      }),
    )
  }
  return rest
}

/** Reads a JSON body that says it is one. A form of another site can send any other type without asking. */
async function body(c: Context, limit: number): Promise<unknown> {
  return readJson(c.req.raw, limit)
}

const wrongType = (c: Context): Response | null =>
  isJsonType(c.req.header('content-type'))
    ? null
    : problem('UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON', {
        hint: 'Send the header Content-Type: application/json',
        headers: { accept: 'application/json' },
      })

function addWrites(rest: Hono, { services: { scheduler }, bodyLimitBytes }: RestOptions): void {
  rest.post('/jobs', async (c) => {
    const refusal = wrongType(c)
    if (refusal) return refusal
    const given = await body(c, bodyLimitBytes)
    const request = toSubmitRequest(given, c.req.header('idempotency-key'))
    const [job] = await submit(scheduler, [request], 'one')
    if (!job) throw new Error('a submission of one job gave none back')
    return json(JSON.stringify(jobView(job)), 201, { location: `/jobs/${job.id}` })
  })

  rest.post('/jobs/bulk', async (c) => {
    const refusal = wrongType(c)
    if (refusal) return refusal
    const requests = toSubmitRequests(await body(c, bodyLimitBytes))
    const jobs = await submit(scheduler, requests, requests.length)
    return json(JSON.stringify({ jobs: jobs.map(jobView) }), 201)
  })

  rest.delete('/jobs/:id', async (c) => {
    const id = c.req.param('id')
    const [job] = await scheduler.cancel([id])
    if (!job) throw unknownJob(id)
    // A running job is told to stop, and has not ended yet.
    return json(JSON.stringify(jobView(job)), job.state === 'CANCELLED' ? 200 : 202)
  })

  rest.put('/fair-shares/:key', async (c) => {
    const refusal = wrongType(c)
    if (refusal) return refusal
    const weight = toWeight(await body(c, bodyLimitBytes))
    return c.json(fairShareView(await scheduler.fairShares.setWeight(c.req.param('key'), weight)))
  })

  rest.post('/jobs/:id/retry', async (c) =>
    json(JSON.stringify(jobView(await scheduler.retry(c.req.param('id'))))),
  )
}

async function submit(
  scheduler: ApiServices['scheduler'],
  requests: unknown[],
  batch: 'one' | number,
): Promise<Job[]> {
  try {
    return await scheduler.submit(requests)
  } catch (error) {
    throw inRestWords(error, batch)
  }
}

const unknownJob = (id: string): HeddleError =>
  new HeddleError('JOB_NOT_FOUND', `No job has the id ${id}`)

function addReads(rest: Hono, services: ApiServices): void {
  const { read, scheduler, registry } = services
  const parameters = (c: Context): ListRequest => parseListQuery(new URL(c.req.url).searchParams)

  rest.get('/jobs', async (c) => {
    const { filter, first, after, include } = parameters(c)
    return page(read, await read.active(filter, { first, after }), include)
  })
  rest.get('/db/jobs', async (c) => {
    const { filter, first, after, include } = parameters(c)
    return page(read, await read.history(filter, { first, after }), include)
  })
  rest.get('/jobs/:id', async (c) => {
    const id = c.req.param('id')
    const job = await read.job(id)
    if (!job) throw unknownJob(id)
    const { include = [] } = parseJobQuery(new URL(c.req.url).searchParams)
    const [text = ''] = await jobsText(read, [job], ['payload', 'result'])
    if (!include.includes('schedule')) return json(text)
    const schedule = scheduleView(await scheduler.insight.schedule(job))
    return json(`${text.slice(0, -1)},"schedule":${JSON.stringify(schedule)}}`)
  })

  rest.get('/job-types', (c) =>
    c.json({
      job_types: registry.types.map((jobType) => ({
        type: jobType.type,
        description: jobType.description ?? null,
        parallel: jobType.parallel,
        timeout_ms: jobType.timeoutMs,
        max_attempts: jobType.maxAttempts,
        backoff: { base_ms: jobType.backoff.baseMs, max_ms: jobType.backoff.maxMs },
        payload_schema: jobType.payloadSchema,
        example: exampleOf(jobType.payloadSchema),
      })),
    }),
  )
  rest.get('/workers', async (c) =>
    c.json({
      workers: (await scheduler.workers()).map((worker) => ({
        name: worker.name,
        node_id: worker.nodeId,
        node_name: worker.nodeName,
        threads: worker.threads,
        busy_threads: worker.busy.filter((jobId) => jobId !== null).length,
        job_ids: worker.busy,
      })),
    }),
  )
  rest.get('/fair-shares', async (c) =>
    c.json({ fair_shares: (await scheduler.fairShares.list()).map(fairShareView) }),
  )
  rest.get('/metrics', async () => {
    const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }
    return new Response(await metricsText(services), { headers })
  })
  const description = JSON.stringify(describeRest(registry.types))
  rest.get('/openapi.json', () => json(description))
}

async function page(
  read: ApiServices['read'],
  { items, hasNext }: Page<Job>,
  include: Include[],
): Promise<Response> {
  const texts = await jobsText(
    read,
    items.map(({ node }) => node),
    include,
  )
  const next = hasNext ? (items.at(-1)?.cursor ?? null) : null
  return json(`{"jobs":[${texts.join(',')}],"next_cursor":${JSON.stringify(next)}}`)
}
