import type { Outcome } from '../core/outcome.ts'
import type { ItemAnswers } from './packing.ts'
import { answerFor, givenBack, now, outcomeOf, ownPayloads, type Run } from './run.ts'
import { ThreadEnded, type Thread } from './thread.ts'
import { readUnsent } from './unsent-answers.js'
import type { WorkResult } from './worker.ts'

/**
 * Items after each other in one thread: tells what it answers meanwhile, and at the end, once, all that was not told.
 */
export function runItems(
  run: Run,
  thread: Thread,
  tell: (results: WorkResult[]) => void,
  end: (results: WorkResult[]) => void,
): void {
  let kept: WorkResult[] = []
  run.onItems = (answers) => {
    const results = resultsOf(run, answers)
    // With the last answer its thread counts as free: that one waits until it is.
    if (run.unanswered === 0) kept = results
    else if (results.length > 0) tell(results)
  }
  let over = false
  const finish = (told: ItemAnswers | ThreadEnded): void => {
    if (over) return
    over = true
    const results =
      told instanceof ThreadEnded
        ? [...takeUnsent(run), ...blamed(run, thread, told)]
        : resultsOf(run, told)
    // Behind a fatal item nothing ran.
    end([...kept, ...results, ...givenBack(run, 0)])
  }
  run.giveUp = finish
  thread.reset(run.lane)
  const { jobIds, types, attempts } = run.order
  const { id, lane } = run
  thread.runItems(
    { heddle: 'run', run: id, lane, jobIds, types, attempts, payloads: ownPayloads(run) },
    finish,
  )
}

/** What the thread of a run has answered and not sent, while it is at work and after its end. */
const unsentOf = ({ id, seats: [seat] }: Run): ItemAnswers | null =>
  seat ? readUnsent(seat.unsent, id) : null

/** As if the thread had sent it ahead: it cannot while its next item runs. */
export function tellUnsent(run: Run): void {
  const unsent = unsentOf(run)
  if (unsent) run.onItems(unsent)
}

/** The same for a run whose thread sends nothing any more. */
export function takeUnsent(run: Run): WorkResult[] {
  const unsent = unsentOf(run)
  return unsent ? resultsOf(run, unsent) : []
}

/** The item that ran when the thread ended; what had not begun is not to blame. */
function blamed(run: Run, thread: Thread, ended: ThreadEnded): WorkResult[] {
  const { index, startedAt } = thread.runningItem(run.lane)
  const fatal = Math.max(0, index)
  if (run.answered[fatal] || (run.ahead && index < 0)) return []
  const outcome = outcomeOf(run, fatal, ended)
  return [answerFor(run, fatal, outcome, startedAt || run.startedAt, now())]
}

/** Of what was not answered before: a thread sends once more what was read from its memory. */
function resultsOf(run: Run, { from, answers, times }: ItemAnswers): WorkResult[] {
  const results: WorkResult[] = []
  answers.forEach((told, at) => {
    const index = from + at
    if (run.answered[index]) return
    const outcome: Outcome =
      typeof told === 'string' ? { kind: 'completed', result: told } : outcomeOf(run, index, told)
    results.push(answerFor(run, index, outcome, times[2 * at] ?? 0, times[2 * at + 1] ?? 0))
  })
  return results
}

/** The item of a run that runs, or last ran; -1 before the first of those that a thread runs by itself. */
export function runningItem(run: Run): ReturnType<Thread['runningItem']> {
  if (run.order.width > 1) return { index: run.gangs.item, startedAt: run.startedAt }
  return run.seats[0]?.thread?.runningItem(run.lane) ?? { index: -1, startedAt: 0 }
}

/** No further item of it will be started; tells the index from which on that is certain. */
export function endItems({ order, gangs, seats: [seat], lane }: Run): number {
  if (order.width > 1) return (gangs.end = gangs.item + 1)
  return seat?.thread?.endItems(lane) ?? 0
}

/**
 * No further item of it will be started. Tells the last one that was, which is the one that runs, if any does:
 * asked first and ended then, the thread could have moved on in between. -1 for none.
 */
export const lastStarted = (run: Run): number => endItems(run) - 1

/** True for one that comes next on its thread, and has not begun. */
export const isWaiting = (run: Run): boolean =>
  run.ahead && (!run.begun || runningItem(run).index < 0)
