import { graphql } from '../graphql/generated/index.ts'

export const JobTypesQuery = graphql(`
  query JobTypes {
    jobTypes {
      type
      description
      parallel
      payloadSchema
      example
      maxAttempts
      timeoutMs
    }
  }
`)

export const SubmitJob = graphql(`
  mutation SubmitJob($input: SubmitJobInput!) {
    submitJob(input: $input) {
      id
    }
  }
`)

export const WatchJob = graphql(`
  subscription WatchJob($id: ID!) {
    jobUpdated(id: $id) {
      ...JobRow
      result
      error {
        name
        message
        code
      }
    }
  }
`)
