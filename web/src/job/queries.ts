import type { JobDetailsQuery } from '../graphql/generated/graphql.ts'
import { graphql } from '../graphql/generated/index.ts'

export type JobDetail = NonNullable<JobDetailsQuery['job']>

/** What may change while the job is looked at; its payload does not. */
export const JobState = graphql(`
  fragment JobStateNow on Job {
    ...JobRow
    nodeId
    timeoutMs
    result
    error {
      name
      message
      code
      stack
    }
    attempts {
      number
      startedAt
      finishedAt
      workerName
      nodeId
      error {
        name
        message
        code
        stack
      }
    }
  }
`)

export const JobDetails = graphql(`
  query JobDetails($id: ID!) {
    job(id: $id) {
      ...JobStateNow
      fairnessKey
      payload
    }
  }
`)

export const JobNow = graphql(`
  subscription JobNow($id: ID!) {
    jobUpdated(id: $id) {
      ...JobStateNow
    }
  }
`)

/** What becomes of the job is told by its events, which may overtake the answer of a mutation. */
export const CancelJob = graphql(`
  mutation CancelJob($id: ID!) {
    cancelJob(id: $id) {
      id
    }
  }
`)

export const RetryJob = graphql(`
  mutation RetryJob($id: ID!) {
    retryJob(id: $id) {
      id
    }
  }
`)
