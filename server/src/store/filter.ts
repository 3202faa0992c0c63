import type { JobState } from '../core/job.ts'

export interface JobFilter {
  states?: JobState[]
  types?: string[]
  minPriority?: number
  maxPriority?: number
  /** part of the name, in any case */
  name?: string
}

/** Builds a WHERE clause and the values of its parameters. */
export interface Conditions {
  add(condition: (parameter: string) => string, value: unknown): void
  where(): string
  values: unknown[]
}

export function createConditions(filter: JobFilter): Conditions {
  const parts: string[] = []
  const values: unknown[] = []
  const add: Conditions['add'] = (condition, value) => {
    values.push(value)
    parts.push(condition(`$${values.length}`))
  }
  // The casts stand on the parameters, so that a partial index on the state is seen to fit.
  // Of one state an index has the rows in order; those of several would be sorted, or all states looked through.
  const [state, ...others] = filter.states ?? []
  if (state && others.length === 0) add((p) => `state = ${p}::job_state`, state)
  else if (filter.states) add((p) => `state = ANY(${p}::job_state[])`, filter.states)
  if (filter.types) add((p) => `type = ANY(${p})`, filter.types)
  if (filter.minPriority !== undefined) add((p) => `priority >= ${p}`, filter.minPriority)
  if (filter.maxPriority !== undefined) add((p) => `priority <= ${p}`, filter.maxPriority)
  // A NUL is in no name, and Postgres refuses it in a text.
  if (filter.name) add((p) => `name ILIKE ${p}`, likePattern(filter.name))
  return {
    add,
    values,
    where: () => (parts.length > 0 ? `WHERE ${parts.join(' AND ')}` : ''),
  }
}

const likePattern = (text: string): string =>
  `%${text.replaceAll('\0', '\uFFFD').replaceAll(/[\\%_]/g, '\\$&')}%`
