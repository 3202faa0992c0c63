import { answerFor, asAnswer, givenBack, now, outcomeOf, ownPayloads, type Run } from './run.ts'
import type { Outcome } from '../core/outcome.ts'
import { ofItem, splitIds } from './packing.ts'
import type { Answer, CallContext, ThreadApi } from './messages.ts'
import { Transfer } from './threads-library.ts'
import { ThreadEnded, type Thread } from './thread.ts'
import type { WorkResult } from './worker.ts'
import type { ModuleThread } from 'threads'

/** Answers are kept for so long, as those of small jobs in `thread-entry.js`: to send them costs the server 1 ms. */
const SEND_AHEAD_MS = 75

type Step<T> = (api: ModuleThread<ThreadApi>) => Promise<Answer<T>>

export interface GangEvents {
  tell(results: WorkResult[]): void
  /** one chunk has failed: the others are to stop, their answers are not wanted any more */
  stopOthers(run: Run): void
}

/**
 * Jobs that each have all threads of their order, after each other. Behind one that does not complete none is
 * started, since its threads may yet be ended for it: they go back. Resolves with all that was not told.
 */
export async function runGangs(
  run: Run,
  threads: readonly Thread[],
  { tell, stopOthers }: GangEvents,
): Promise<WorkResult[]> {
  const { gangs } = run
  const kept: Omit<WorkResult, 'order'>[] = []
  let late: NodeJS.Timeout | undefined
  const results = (): WorkResult[] =>
    kept
      .splice(0)
      .filter(({ place }) => !run.answered[place])
      .map(({ place, outcome, startedAt, finishedAt }) =>
        answerFor(run, place, outcome, startedAt, finishedAt),
      )
  for (let place = 0; place < gangs.end; place += 1) {
    gangs.item = place
    const startedAt = (run.startedAt = now())
    const outcome = await runGang(run, threads, stopOthers)
    kept.push({ place, outcome, startedAt, finishedAt: now() })
    if (outcome.kind !== 'completed') gangs.end = place + 1
    // By a timer, since the next one may run for long. It fires while that one runs, so that the last answer, with
    // which the threads count as free, is never among these.
    late ??= setTimeout(() => {
      late = undefined
      tell(results())
    }, SEND_AHEAD_MS)
  }
  clearTimeout(late)
  return [...results(), ...givenBack(run, 0)]
}

/** split in the first thread → a chunk per thread → merge in the first. User code never runs outside a thread. */
async function runGang(
  run: Run,
  threads: readonly Thread[],
  stopOthers: GangEvents['stopOthers'],
): Promise<Outcome> {
  const { order } = run
  const place = run.gangs.item
  const jobId = splitIds(order)[place]
  const attempt = ofItem(order.attempts, place)
  const type = ofItem(order.types, place)
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
  run.fractions.fill(0)
  const ask = <T>(thread: Thread, step: Step<T>): Promise<Answer<T> | ThreadEnded> =>
    Promise.race([thread.call(step), givenUp]).catch(asAnswer)

  const payloads = ownPayloads(run)
  const chunks = await ask(first, (api) =>
    api.split(
      context(0),
      type,
      typeof payloads === 'string' ? payloads : Transfer(payloads, [payloads]),
      place,
    ),
  )
  if (chunks instanceof ThreadEnded || !chunks.ok) return outcomeOf(run, place, chunks)

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
  if (failed) return outcomeOf(run, place, failed)
  const merged = await ask(first, (api) => api.merge(context(0), type, parts))
  return outcomeOf(run, place, merged)
}
