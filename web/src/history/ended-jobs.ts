import type { JobRowFragment } from '../graphql/generated/graphql.ts'

const lastEndedFirst = (a: JobRowFragment, b: JobRowFragment): number =>
  (b.finishedAt ?? '').localeCompare(a.finishedAt ?? '') || b.id.localeCompare(a.id)

const without = (rows: JobRowFragment[], others: JobRowFragment[]): JobRowFragment[] => {
  const ids = new Set(others.map(({ id }) => id))
  return rows.filter(({ id }) => !ids.has(id))
}

/** With jobs that have just ended; one that ended before is listed by its last end. */
export const withNewer = (rows: JobRowFragment[], ended: JobRowFragment[]): JobRowFragment[] =>
  [...ended, ...without(rows, ended)].sort(lastEndedFirst)

/** The next page, below; a job that ended again meanwhile stays where it is. */
export const withPage = (rows: JobRowFragment[], older: JobRowFragment[]): JobRowFragment[] => [
  ...rows,
  ...without(older, rows),
]
