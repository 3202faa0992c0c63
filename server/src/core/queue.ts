import type { QueuedJob } from './job.ts'
import { compareRank } from './rank.ts'

/**
 * The jobs that wait, best rank first: a binary heap with an index from id to place, so that any job
 * can be removed. Adding, removing and taking the best cost O(log n); looking at the best k costs
 * O(k log k), whatever the length.
 *
 *            heap[0]  the best
 *           /       \
 *      heap[1]     heap[2]      a parent never ranks after its children: 2i + 1 and 2i + 2
 */
export interface Queue<J extends QueuedJob = QueuedJob> extends Iterable<J> {
  readonly size: number
  /** A job that is in the queue already is ignored. */
  add(job: J): void
  /** false if there was no such job */
  remove(id: string): boolean
  has(id: string): boolean
  get(id: string): J | undefined
  peek(): J | undefined
  pop(): J | undefined
  /** Drops all but the `n` best. */
  keepBest(n: number): void
  /** In order of rank, lazily. The queue must not be changed until the iteration has ended. */
  [Symbol.iterator](): Iterator<J>
}

export function createQueue<J extends QueuedJob = QueuedJob>(jobs: Iterable<J> = []): Queue<J> {
  const heap: J[] = []
  const places = new Map<string, number>()

  const put = (job: J, place: number): void => {
    heap[place] = job
    places.set(job.id, place)
  }

  /** Moves `job` from the hole at `place` towards the root, then puts it down. */
  const rise = (job: J, place: number): void => {
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = heap[above]
      if (!parent || compareRank(parent, job) <= 0) break
      put(parent, place)
      place = above
    }
    put(job, place)
  }

  /** Moves `job` from the hole at `place` towards the leaves, then puts it down. */
  const sink = (job: J, place: number): void => {
    for (;;) {
      const left = betterChild(heap, place)
      const child = heap[left]
      if (!child || compareRank(job, child) <= 0) break
      put(child, place)
      place = left
    }
    put(job, place)
  }

  const removeAt = (place: number): J | undefined => {
    const removed = heap[place]
    const last = heap.pop()
    if (!removed || !last) return undefined
    places.delete(removed.id)
    if (last !== removed) {
      const parent = heap[(place - 1) >> 1]
      if (place > 0 && parent && compareRank(last, parent) < 0) rise(last, place)
      else sink(last, place)
    }
    return removed
  }

  const queue: Queue<J> = {
    get size() {
      return heap.length
    },
    add(job) {
      if (!places.has(job.id)) rise(job, heap.length)
    },
    remove(id) {
      const place = places.get(id)
      return place !== undefined && removeAt(place) !== undefined
    },
    has: (id) => places.has(id),
    get(id) {
      const place = places.get(id)
      return place === undefined ? undefined : heap[place]
    },
    peek: () => heap[0],
    pop: () => removeAt(0),
    keepBest(n) {
      if (n >= heap.length) return
      const best = take(queue, n)
      heap.length = 0
      places.clear()
      // Sorted already, and a sorted array is a heap.
      for (const job of best) put(job, heap.length)
    },
    [Symbol.iterator]: () => inOrder(heap),
  }
  for (const job of jobs) queue.add(job)
  return queue
}

function take<J>(jobs: Iterable<J>, n: number): J[] {
  const taken: J[] = []
  for (const job of jobs) {
    if (taken.length >= n) break
    taken.push(job)
  }
  return taken
}

function betterChild(heap: readonly QueuedJob[], place: number): number {
  const left = 2 * place + 1
  const a = heap[left]
  const b = heap[left + 1]
  return a && b && compareRank(b, a) < 0 ? left + 1 : left
}

/**
 * Walks a heap in order without changing it: the next best is always a child of one already visited,
 * so a second, small heap of those candidates is enough.
 */
function* inOrder<J extends QueuedJob>(heap: readonly J[]): Generator<J> {
  const frontier: number[] = heap.length > 0 ? [0] : []
  const before = (a: number, b: number): boolean => {
    const x = heap[a]
    const y = heap[b]
    return x !== undefined && y !== undefined && compareRank(x, y) < 0
  }
  while (frontier.length > 0) {
    const place = popPlace(frontier, before)
    const job = heap[place]
    if (!job) return
    yield job
    const child = 2 * place + 1
    if (child < heap.length) pushPlace(frontier, child, before)
    if (child + 1 < heap.length) pushPlace(frontier, child + 1, before)
  }
}

type Before = (a: number, b: number) => boolean

function pushPlace(frontier: number[], place: number, before: Before): void {
  let at = frontier.length
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = frontier[above] ?? 0
    if (!before(place, parent)) break
    frontier[at] = parent
    at = above
  }
  frontier[at] = place
}

function popPlace(frontier: number[], before: Before): number {
  const best = frontier[0] ?? 0
  const last = frontier.pop() ?? 0
  if (frontier.length === 0) return best
  let at = 0
  for (;;) {
    const left = 2 * at + 1
    const right = left + 1
    const a = frontier[left]
    if (a === undefined) break
    const b = frontier[right]
    const [child, childAt] = b !== undefined && before(b, a) ? [b, right] : [a, left]
    if (!before(child, last)) break
    frontier[at] = child
    at = childAt
  }
  frontier[at] = last
  return best
}
