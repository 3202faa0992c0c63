import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import { GraphQLError } from 'graphql'
import { DateTimeResolver, JSONResolver } from 'graphql-scalars'
import { jobStates, type Job, type WidthReason, type JobState } from '../../core/job.ts'
import { PAGE, type ApiServices } from '../context.ts'
import type { DocumentLoader } from './documents.ts'
import type { JobNews } from './job-news.ts'
import type { Pace } from './pace.ts'

export interface GraphqlContext extends ApiServices {
  documents: DocumentLoader
  news: JobNews
  /** of all who watch this node */
  pace: Pace
}

/** Leaves of a query, lists counted at their size. A page of 500 jobs with every field costs about 15,000. */
const LIMITS = { complexity: 50_000, depth: 12, breadth: 500 }

/** A builder of its own for each schema: input types depend on the registered job types. */
export function createBuilder() {
  const builder = new SchemaBuilder<{
    Context: GraphqlContext
    DefaultFieldNullability: false
    Objects: { Job: Job }
    Interfaces: { Node: Job }
    Scalars: {
      DateTime: { Input: Date; Output: Date }
      JSON: { Input: unknown; Output: unknown }
    }
  }>({
    plugins: [ComplexityPlugin],
    defaultFieldNullability: false,
    complexity: {
      limit: LIMITS,
      defaultComplexity: 1,
      defaultListMultiplier: 10,
      complexityError: (kind, result) =>
        new GraphQLError(
          `The query is too large: its ${kind.toLowerCase()} is more than the limit allows`,
          { extensions: { code: 'QUERY_TOO_COMPLEX', ...result } },
        ),
    },
  })
  builder.queryType({})
  builder.mutationType({})
  builder.subscriptionType({})
  builder.addScalarType('DateTime', DateTimeResolver, {
    description: 'A point in time as ISO 8601 text, e.g. "2030-01-31T09:00:00.000Z"',
  })
  builder.addScalarType('JSON', JSONResolver, { description: 'Any JSON value' })
  return builder
}

export type Builder = ReturnType<typeof createBuilder>
export type SchemaTypes =
  Builder extends PothosSchemaTypes.SchemaBuilder<infer Types> ? Types : never

export function addEnums(builder: Builder) {
  const state = builder.enumType('JobState', {
    description: 'Where a job is on its way',
    values: describe<JobState>({
      SCHEDULED: 'Waits for its time: a delay asked for, or the back-off of a retry',
      QUEUED: 'May start as soon as threads are free for it',
      RUNNING: 'Claimed by a node and given threads',
      COMPLETED: 'Ended with a result',
      FAILED: 'Ended with an error and no attempts left',
      CANCELLED: 'Ended because somebody asked',
    }),
  })
  const widthReason = builder.enumType('WidthReason', {
    description: 'Why a job runs on the number of threads it runs on',
    values: describe<WidthReason>({
      AS_DEMANDED: 'It got what it asked for',
      TYPE_NOT_PARALLEL: 'Its type has no parallel form, so more than one thread would idle',
      NO_WORKER_LARGE_ENOUGH: 'No worker in the cluster has as many threads as it asked for',
      WITHIN_RANGE: 'Fewer or more than it prefers, within its range, to end sooner',
    }),
  })
  return { state, widthReason }
}

export type Enums = ReturnType<typeof addEnums>

export const describe = <Value extends string>(values: Record<Value, string>) =>
  Object.fromEntries(
    Object.entries<string>(values).map(([name, description]) => [name, { description }]),
  ) as Record<Value, { description: string }>

export const date = (ms: number): Date => new Date(ms)
export const dateOrNull = (ms: number | null): Date | null => (ms === null ? null : date(ms))

/** What a page multiplies its fields by; a size out of range is refused when the field resolves. */
export const pageSize = (first: number | null | undefined): number =>
  Math.min(PAGE.max, Math.max(1, first ?? PAGE.default))

export const isState = (text: string): text is JobState =>
  (jobStates as readonly string[]).includes(text)
