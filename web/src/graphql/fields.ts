import { graphql } from './generated/index.ts'

export const JobRow = graphql(`
  fragment JobRow on Job {
    id
    name
    type
    priority
    threadDemand
    width
    widthReason
    state
    progress
    attempt
    maxAttempts
    workerName
    cancelRequested
    createdAt
    runAt
    startedAt
    finishedAt
    queueTimeMs
    executionTimeMs
    totalTimeMs
  }
`)

export const JobChanges = graphql(`
  subscription JobChanges($filter: JobFilter) {
    jobsUpdated(filter: $filter) {
      jobs {
        ...JobRow
      }
      incomplete
    }
  }
`)

export const JobTypeNames = graphql(`
  query JobTypeNames {
    jobTypes {
      type
    }
  }
`)

export const WorkersNow = graphql(`
  subscription WorkersNow {
    workersUpdated {
      id
      name
      nodeId
      nodeName
      threadCount
      busyThreads
      threads {
        index
        busy
        jobId
        job {
          id
          name
          type
        }
      }
    }
  }
`)
