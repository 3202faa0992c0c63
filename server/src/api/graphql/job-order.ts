import { isFinal, type Job } from '../../core/job.ts'

/** Within one attempt a job runs first, then ends, or waits for the next attempt and is queued for it. */
const phase = (job: Job): number =>
  isFinal(job.state) ? 3 : { RUNNING: 0, SCHEDULED: 1, QUEUED: 2 }[job.state as 'RUNNING']

/**
 * Whether `a` tells of an earlier moment than `b`, two snapshots of one job. The one step it takes for
 * its reverse is a hand-back (RUNNING with attempt 2, then QUEUED with attempt 1): snapshots have no
 * version, so the callers use it only while they join what they read with what they hear.
 */
export function isEarlier(a: Job, b: Job): boolean {
  if (a.attempt !== b.attempt) return a.attempt < b.attempt
  const [phaseA, phaseB] = [phase(a), phase(b)]
  if (phaseA === phaseB) return phaseA === 0 && isEarlierRun(a, b)
  if (phaseA === 3 && phaseB > 0) return wasRetried(b, a)
  if (phaseB === 3 && phaseA > 0) return !wasRetried(a, b)
  return phaseA < phaseB
}

const isEarlierRun = (a: Job, b: Job): boolean =>
  a.cancelRequested === b.cancelRequested
    ? (a.progress ?? -1) < (b.progress ?? -1)
    : b.cancelRequested

/** An ended job that somebody put back in the queue waits from after its end. */
const wasRetried = (waiting: Job, ended: Job): boolean => waiting.runAt >= (ended.finishedAt ?? 0)

/** Whether a subscriber that saw one learns nothing from the other. */
export const isSame = (a: Job, b: Job): boolean =>
  a.state === b.state &&
  a.attempt === b.attempt &&
  a.cancelRequested === b.cancelRequested &&
  a.progress === b.progress &&
  a.finishedAt === b.finishedAt
