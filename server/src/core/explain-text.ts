import type { Explanation } from './explain.ts'

/** An explanation in plain sentences: what holds the job, then who is ahead and what fits where. */
export function explainText(why: Explanation, jobId: string): string[] {
  return [holds(why, jobId), ...place(why), ...room(why)]
}

function holds({ reason, reservation, width }: Explanation, jobId: string): string {
  const threads = threadsText(width)
  switch (reason) {
    case 'STARTS_NOW':
      return 'It is about to start'
    case 'RESERVED':
      return reservation && reservation.jobId === jobId
        ? `It is the next in order: ${reservation.workerName} keeps ${threads} for it as they become free`
        : `It is the next in order and waits for ${threads}`
    case 'NOT_ENOUGH_FREE_THREADS':
      return `No worker has ${threads} free`
    case 'WOULD_DELAY_HEAD':
      return 'There is room for it now, but starting it could delay the job that is next in order'
    case 'ANOTHER_NODE':
      return `It waits for a worker of another node: none here can run it on ${threads}`
    case 'BEHIND_OTHERS':
      return 'Jobs before it in the queue take the threads first'
    case 'NO_WORKER':
      return 'No worker is running in the cluster'
  }
}

function place({ position }: Explanation): string[] {
  if (position === null) return []
  const ahead = position - 1
  return [
    ahead === 0
      ? 'No job is ahead of it'
      : `${ahead} ${ahead === 1 ? 'job is' : 'jobs are'} ahead of it`,
  ]
}

const room = ({ workers, width }: Explanation): string[] =>
  workers.map(({ name, threads, free }) =>
    threads < width
      ? `${name} is too small for it, with ${threadsText(threads)}`
      : `${name} has ${free} of ${threads} threads free`,
  )

const threadsText = (threads: number): string => `${threads} thread${threads === 1 ? '' : 's'}`
