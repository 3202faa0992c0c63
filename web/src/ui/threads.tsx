const reasons = {
  AS_DEMANDED: 'It got the threads it asked for',
  NO_WORKER_LARGE_ENOUGH: 'No worker has as many threads as it asked for, so it runs on one',
  WITHIN_RANGE: 'Fewer or more threads than it prefers, within its range, so that it ends sooner',
  TYPE_NOT_PARALLEL: 'Its type has no parallel form, so it runs on one thread',
}

export type WidthReason = keyof typeof reasons

interface Threads {
  threadDemand: number
  width?: number | null
  widthReason?: WidthReason | null
}

/** '4', or '1 of 8' where it got fewer threads than it asked for. */
export const threadsText = ({ threadDemand, width }: Threads): string =>
  width == null || width === threadDemand ? String(threadDemand) : `${width} of ${threadDemand}`

export const widthText = (reason: WidthReason): string => reasons[reason]

export function ThreadsCell(job: Threads) {
  return (
    <span title={job.widthReason ? reasons[job.widthReason] : 'Threads it asks for'}>
      {threadsText(job)}
    </span>
  )
}
