import { HeddleError } from '../../core/errors.ts'
import { PRIORITY, type Job } from '../../core/job.ts'
import type { JobFilter as StoreFilter, Page } from '../../store/read.ts'
import { PAGE, possibleTypes } from '../context.ts'
import { pageSize, type Builder, type Enums } from './builder.ts'
import type { JobRef } from './job.ts'

type GivenFilter = { [Key in keyof StoreFilter]?: StoreFilter[Key] | null } | null | undefined

/** Drops what was not given; a list or range that no job can fit is an error of the caller's. */
export function toFilter(given: GivenFilter): StoreFilter {
  const filter: StoreFilter = {}
  if (given?.states) filter.states = given.states
  if (given?.types) filter.types = possibleTypes(given.types)
  if (typeof given?.minPriority === 'number') filter.minPriority = given.minPriority
  if (typeof given?.maxPriority === 'number') filter.maxPriority = given.maxPriority
  if (given?.name) filter.name = given.name
  const { minPriority = PRIORITY.min, maxPriority = PRIORITY.max } = filter
  if (filter.minPriority !== undefined && filter.maxPriority !== undefined) {
    if (minPriority > maxPriority) {
      throw new HeddleError('INVALID_ARGUMENT', 'The lowest priority is above the highest', {
        issues: [{ path: ['filter', 'minPriority'], message: 'is above the highest priority' }],
      })
    }
  }
  return filter
}

/** INVALID_ARGUMENT outside 1..500. */
export function checkPageSize(argument: string, size: number | null | undefined): number {
  if (size === null || size === undefined) return PAGE.default
  if (Number.isInteger(size) && size >= PAGE.min && size <= PAGE.max) return size
  const message = `must be a whole number from ${PAGE.min} to ${PAGE.max}`
  throw new HeddleError('INVALID_ARGUMENT', `${argument} ${message}`, {
    issues: [{ path: [argument], message }],
  })
}

export function addFilter(builder: Builder, enums: Enums) {
  return builder.inputType('JobFilter', {
    description: 'Every part that is given must fit',
    fields: (t) => ({
      states: t.field({ type: [enums.state] }),
      types: t.stringList(),
      minPriority: t.int(),
      maxPriority: t.int(),
      name: t.string({ description: 'Part of the name, in any case' }),
    }),
  })
}

export type FilterRef = ReturnType<typeof addFilter>

/** Lists of jobs: the active ones, and history. */
export function addLists(builder: Builder, job: JobRef, filter: FilterRef): void {
  const connection = addConnection(builder, job)

  builder.queryFields((t) => ({
    jobs: t.field({
      type: connection,
      description: 'Jobs that have not ended, last submitted first',
      args: {
        filter: t.arg({ type: filter }),
        first: t.arg.int({ description: '1 to 500, 50 unless told' }),
        after: t.arg.string(),
        last: t.arg.int({ description: '1 to 500; with before, to go back' }),
        before: t.arg.string(),
      },
      complexity: ({ first, last }) => ({ field: 5, multiplier: pageSize(first ?? last) }),
      resolve: (_root, args, { read }) => {
        const wanted = toFilter(args.filter)
        const backward = typeof args.last === 'number' || typeof args.before === 'string'
        if (!backward) {
          const first = checkPageSize('first', args.first)
          return read.active(wanted, { first, after: args.after ?? null })
        }
        if (typeof args.first === 'number' || typeof args.after === 'string') {
          throw new HeddleError('INVALID_ARGUMENT', 'Give first and after, or last and before')
        }
        const last = checkPageSize('last', args.last)
        return read.active(wanted, { last, before: args.before ?? null })
      },
    }),
    history: t.field({
      type: connection,
      description: 'Jobs that have ended, last ended first',
      args: {
        filter: t.arg({ type: filter }),
        first: t.arg.int({ description: '1 to 500, 50 unless told' }),
        after: t.arg.string(),
      },
      complexity: ({ first }) => ({ field: 5, multiplier: pageSize(first) }),
      resolve: (_root, args, { read }) =>
        read.history(toFilter(args.filter), {
          first: checkPageSize('first', args.first),
          after: args.after ?? null,
        }),
    }),
  }))
}

function addConnection(builder: Builder, job: JobRef) {
  const pageInfo = builder.objectRef<Page<Job>>('PageInfo').implement({
    fields: (t) => ({
      hasNextPage: t.exposeBoolean('hasNext'),
      hasPreviousPage: t.exposeBoolean('hasPrevious'),
      startCursor: t.string({
        nullable: true,
        resolve: (page) => page.items.at(0)?.cursor ?? null,
      }),
      endCursor: t.string({ nullable: true, resolve: (page) => page.items.at(-1)?.cursor ?? null }),
    }),
  })
  const edge = builder.objectRef<Page<Job>['items'][number]>('JobEdge').implement({
    fields: (t) => ({
      cursor: t.exposeString('cursor'),
      node: t.field({ type: job, resolve: (item) => item.node }),
    }),
  })
  // The field that gives the page has already multiplied by its size.
  const once = { multiplier: 1 }
  return builder.objectRef<Page<Job>>('JobConnection').implement({
    fields: (t) => ({
      edges: t.field({ type: [edge], complexity: once, resolve: (page) => page.items }),
      nodes: t.field({
        type: [job],
        complexity: once,
        resolve: (page) => page.items.map((item) => item.node),
      }),
      pageInfo: t.field({ type: pageInfo, resolve: (page) => page }),
      totalCount: t.int({
        description: 'Of all pages; counted when asked for',
        resolve: (page) => page.totalCount(),
      }),
    }),
  })
}
