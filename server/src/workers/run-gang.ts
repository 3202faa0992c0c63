import { asAnswer, outcomeOf, ownPayloads, type Run } from './run.ts'
import type { Outcome } from '../core/outcome.ts'
import { splitIds } from './packing.ts'
import type { Answer, CallContext, ThreadApi } from './messages.ts'
import { Transfer } from './threads-library.ts'
import { ThreadEnded, type Thread } from './thread.ts'
import type { ModuleThread } from 'threads'

type Step<T> = (api: ModuleThread<ThreadApi>) => Promise<Answer<T>>

/** split in the first thread → a chunk per thread → merge in the first. User code never runs outside a thread. */
export async function runGang(
  run: Run,
  threads: readonly Thread[],
  /** one chunk has failed: the others are to stop, their answers are not wanted any more */
  stopOthers: (run: Run) => void,
): Promise<Outcome> {
  const { order } = run
  const [jobId] = splitIds(order)
  const [attempt] = order.attempts
  const [type] = order.types
  const [first] = threads
  if (jobId === undefined || attempt === undefined || type === undefined || !first)
    throw new Error('a gang needs a job and threads')
  const context = (chunk: number): CallContext => ({
    run: run.id,
    lane: run.lane,
    jobId,
    attempt,
    width: order.width,
    chunk,
  })
  const givenUp = new Promise<never>((_, reject) => (run.giveUp = reject))
  givenUp.catch(() => {})
  for (const thread of threads) thread.reset(run.lane)
  const ask = <T>(thread: Thread, step: Step<T>): Promise<Answer<T> | ThreadEnded> =>
    Promise.race([thread.call(step), givenUp]).catch(asAnswer)

  const payloads = ownPayloads(run)
  const chunks = await ask(first, (api) =>
    api.split(
      context(0),
      type,
      typeof payloads === 'string' ? payloads : Transfer(payloads, [payloads]),
    ),
  )
  if (chunks instanceof ThreadEnded || !chunks.ok) return outcomeOf(run, 0, chunks)

  let failed: Answer<never> | ThreadEnded | undefined
  const parts = await Promise.all(
    chunks.value.map(async (chunk, index) => {
      const part = await ask(threads[index] ?? first, (api) =>
        api.runChunk(context(index), type, chunk),
      )
      if (!(part instanceof ThreadEnded) && part.ok) return part.value
      if (!failed) {
        failed = part
        stopOthers(run)
      }
      return undefined
    }),
  )
  if (failed) return outcomeOf(run, 0, failed)
  const merged = await ask(first, (api) => api.merge(context(0), type, parts))
  return outcomeOf(run, 0, merged)
}
