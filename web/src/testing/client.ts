import { Client, CombinedError, type Operation, type OperationResult } from '@urql/core'
import { filter, fromPromise, map, mergeMap, pipe } from 'wonka'

type Answer = { data: unknown } | { refusal: string; extensions?: Record<string, unknown> }

/** A client whose server is a function. */
export const fakeClient = (answer: (operation: Operation) => Answer | Promise<Answer>): Client =>
  new Client({
    url: '/graphql',
    preferGetMethod: false,
    exchanges: [
      () => (operations) =>
        pipe(
          operations,
          filter(({ kind }) => kind !== 'teardown'),
          mergeMap((operation) =>
            pipe(
              fromPromise(Promise.resolve(answer(operation))),
              map((given) => resultOf(operation, given)),
            ),
          ),
        ),
    ],
  })

function resultOf(operation: Operation, answer: Answer): OperationResult {
  const result = { operation, stale: false, hasNext: false }
  if ('data' in answer) return { ...result, data: answer.data }
  const { refusal: message, extensions = {} } = answer
  return {
    ...result,
    data: undefined,
    error: new CombinedError({ graphQLErrors: [{ message, extensions }] }),
  }
}
