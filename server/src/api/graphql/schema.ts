import type { GraphQLSchema } from 'graphql'
import type { ApiServices } from '../context.ts'
import { addEnums, createBuilder } from './builder.ts'
import { addDecisions } from './decisions.ts'
import { addFairShares } from './fair-shares.ts'
import { addFilter, addLists } from './history.ts'
import { addJobTypes } from './job-types.ts'
import { addJobUpdated } from './job-updated.ts'
import { addJobsUpdated } from './jobs-updated.ts'
import { addJob } from './job.ts'
import { addMetrics } from './metrics.ts'
import { addPayloadInputs } from './payload-inputs.ts'
import { addSchedule } from './schedule.ts'
import { addSimulate } from './simulate.ts'
import { addSubmit } from './submit.ts'
import { addWorkers } from './workers.ts'

/** The whole GraphQL schema. Opens nothing: all it uses at run time comes with the context. */
export function buildSchema(registry: ApiServices['registry']): GraphQLSchema {
  const builder = createBuilder()
  const enums = addEnums(builder)
  const job = addJob(builder, enums)
  addSchedule(builder, job)
  const filter = addFilter(builder, enums)
  addLists(builder, job, filter)
  addWorkers(builder, job)
  addJobTypes(builder)
  addMetrics(builder)
  addDecisions(builder)
  addSimulate(builder)
  addFairShares(builder)
  addSubmit(builder, job, addPayloadInputs(builder, registry.types))
  addJobUpdated(builder, job, filter)
  addJobsUpdated(builder, job, filter)
  return builder.toSchema()
}
