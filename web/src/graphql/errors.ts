import type { CombinedError } from '@urql/core'

export interface Issue {
  path: (string | number)[]
  message: string
}

/** What went wrong, for people: the server's words and its hint, or that it cannot be reached. */
export function describeError(error: CombinedError): string {
  const first = error.graphQLErrors[0]
  if (first) {
    const { hint } = first.extensions
    return typeof hint === 'string' ? `${first.message}. ${hint}` : first.message
  }
  if ((error.response as Response | undefined)?.status === 401) return 'This needs an API key.'
  return 'The server cannot be reached.'
}

/** The wrong paths of a submission; empty where the error is of another kind. */
export function issuesOf(error: CombinedError): Issue[] {
  return error.graphQLErrors.flatMap((one) => {
    const { issues } = one.extensions
    return Array.isArray(issues) ? issues.filter(isIssue).map(withPathList) : []
  })
}

type RawIssue = { path: unknown; message: string }

const isIssue = (value: unknown): value is RawIssue =>
  typeof value === 'object' &&
  value !== null &&
  'message' in value &&
  typeof value.message === 'string' &&
  'path' in value

function withPathList({ path, message }: RawIssue): Issue {
  if (typeof path === 'string') return { path: path.split('.').filter(Boolean), message }
  const parts: unknown[] = Array.isArray(path) ? path : []
  return {
    path: parts.filter((part) => typeof part === 'string' || typeof part === 'number'),
    message,
  }
}
