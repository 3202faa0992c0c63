/**
 * Columns as `prisma/schema.prisma` has them: what SQL of our own reads and moves is held to the schema by these
 * types, as what is read through Prisma is.
 */
import type { JobHistoryModel, JobModel } from '../generated/prisma/models.ts'

/** `threadDemand` → `thread_demand`, as every field of the schema is mapped */
type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : Name

/** of a row as the driver gives it */
type Columns<Model> = { [Field in keyof Model & string as SnakeCase<Field>]: Model[Field] }

export type ActiveColumns = Columns<JobModel>
export type HistoryColumns = Columns<JobHistoryModel>
