import type { JobTypeView } from '../context.ts'
import { exampleOf } from '../payload-example.ts'
import type { Builder } from './builder.ts'

/** What can be submitted. */
export function addJobTypes(builder: Builder): void {
  const jobType = builder.objectRef<JobTypeView>('JobType').implement({
    fields: (t) => ({
      type: t.exposeString('type'),
      description: t.string({
        nullable: true,
        resolve: ({ description }) => description ?? null,
      }),
      parallel: t.exposeBoolean('parallel', {
        description: 'Whether it can use more than one thread',
      }),
      timeoutMs: t.exposeInt('timeoutMs'),
      maxAttempts: t.exposeInt('maxAttempts'),
      payloadSchema: t.field({
        type: 'JSON',
        description: 'JSON Schema of the payload',
        resolve: ({ payloadSchema }) => payloadSchema,
      }),
      example: t.field({
        type: 'JSON',
        nullable: true,
        description: 'A payload that fits, for forms and examples',
        resolve: ({ payloadSchema }) => exampleOf(payloadSchema),
      }),
    }),
  })
  builder.queryFields((t) => ({
    jobTypes: t.field({
      type: [jobType],
      resolve: (_root, _args, { registry }) => [...registry.types],
    }),
  }))
}
