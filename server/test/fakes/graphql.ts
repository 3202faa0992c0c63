import { expect } from 'vitest'
import type { Api } from '../../src/api/http.ts'
import { call } from './services.ts'

export interface GraphqlAnswer {
  data: Record<string, never> | null | undefined
  errors?: { message: string; path?: unknown[]; extensions?: Record<string, unknown> }[]
}

export const query = async (
  api: Api,
  text: string,
  variables?: Record<string, unknown>,
): Promise<GraphqlAnswer> =>
  (await call<GraphqlAnswer>(api, 'POST', '/graphql', { query: text, variables })).body

/** The one error of an answer, and where its first issue leads. */
export async function refusal(api: Api, text: string, variables?: Record<string, unknown>) {
  const { errors } = await query(api, text, variables)
  expect(errors).toHaveLength(1)
  const { message, extensions } = errors?.[0] ?? {}
  const issues = extensions?.issues as { path: unknown[] }[] | undefined
  return { code: extensions?.code, path: issues?.[0]?.path, message }
}

export const sum = { type: 'large_array_sum', payload: { numbers: [1, 2] } }

export const submitJob =
  'mutation ($input: SubmitJobInput!) { submitJob(input: $input) { id name type state payload } }'
export const submitJobs =
  'mutation ($inputs: [SubmitJobInput!]!) { submitJobs(inputs: $inputs) { id name } }'

/** Submits jobs named Job 0, Job 1, … of rising priority. */
export async function submitted(api: Api, count: number): Promise<string[]> {
  const inputs = Array.from({ length: count }, (_, index) => ({
    ...sum,
    name: `Job ${index}`,
    priority: index,
  }))
  const { data } = await query(api, submitJobs, { inputs })
  return (data as unknown as { submitJobs: { id: string }[] }).submitJobs.map(({ id }) => id)
}
