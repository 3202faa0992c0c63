import type { QueuedJob } from './job.ts'
import { compareRank } from './rank.ts'

/**
 * The jobs that wait, best rank first: a binary heap in which those that were removed stay until they reach
 * its root or have become many. Adding and taking the best cost O(log n), looking at the best k O(k log k),
 * whatever the length; removing another costs as much on average, and in a heap of many thousands a walk over
 * all of it once in a thousand times.
 *
 *            heap[0]  the best
 *           /       \
 *      heap[1]     heap[2]      a parent never ranks after its children: 2i + 1 and 2i + 2
 *
 * A sorted list is a heap as well. As long as jobs come in order of rank, which is how the table is read and
 * how jobs of one priority are submitted, it is one: adding, removing and looking then compare next to nothing.
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

/** Dead places that are not worth clearing away, and as many as are walked over at most when the best are looked at. */
const FEW_DEAD = 32
const MAX_DEAD = 1024

export function createQueue<J extends QueuedJob = QueuedJob>(jobs: Iterable<J> = []): Queue<J> {
  let heap: J[] = []
  /** true while it is a sorted list, which begins at `head`: what was before has been taken */
  let sorted = true
  let head = 0
  let live = new Map<string, J>()
  /** removed, and still in the heap */
  const dead = new Set<string>()

  const clearAway = (): void => {
    heap = heap.slice(head).filter(({ id }) => !dead.has(id))
    head = 0
    dead.clear()
    if (!sorted) heap.sort(compareRank)
    sorted = true
  }

  /** Dead ones leave the front: the first of a sorted list, the root of a heap. */
  const clearFront = (): void => {
    for (let first = heap[head]; first && dead.delete(first.id); first = heap[head]) dropFirst()
  }
  const dropFirst = (): void => {
    if (!sorted) {
      const last = heap.pop()
      if (last && heap.length > 0) sink(heap, last, 0)
      return
    }
    head += 1
    if (head > FEW_DEAD && head > heap.length / 2) {
      heap = heap.slice(head)
      head = 0
    }
  }

  const remove = (id: string): boolean => {
    if (!live.delete(id)) return false
    if (heap[head]?.id === id) {
      dropFirst()
      return true
    }
    dead.add(id)
    const many = Math.min(MAX_DEAD, (heap.length - head) / 2)
    if (dead.size > FEW_DEAD && dead.size > many) clearAway()
    return true
  }

  const first = (): J | undefined => {
    clearFront()
    return heap[head]
  }

  const queue: Queue<J> = {
    get size() {
      return live.size
    },
    add(job) {
      if (live.has(job.id)) return
      if (live.size === 0) {
        clearAway()
        // The table that a map outgrew leads to the next one: see `scheduler/running.ts`. A new map has no such past.
        live = new Map()
      } else if (dead.has(job.id)) clearAway()
      live.set(job.id, job)
      const last = heap.at(-1)
      if (sorted && (heap.length === head || !last || compareRank(last, job) < 0)) {
        heap.push(job)
        return
      }
      if (sorted) clearAway()
      sorted = false
      rise(heap, job, heap.length)
    },
    remove,
    has: (id) => live.has(id),
    get: (id) => live.get(id),
    peek: first,
    pop() {
      const best = first()
      if (best) remove(best.id)
      return best
    },
    keepBest(n) {
      if (n >= live.size) return
      heap = take(queue, n)
      head = 0
      sorted = true
      live.clear()
      dead.clear()
      for (const job of heap) live.set(job.id, job)
    },
    [Symbol.iterator]() {
      clearFront()
      return sorted ? inList(heap, head, dead) : inOrder(heap, dead)
    },
  }
  for (const job of jobs) queue.add(job)
  return queue
}

/** Moves `job` from the hole at `place` towards the root, then puts it down. */
function rise<J extends QueuedJob>(heap: J[], job: J, place: number): void {
  while (place > 0) {
    const above = (place - 1) >> 1
    const parent = heap[above]
    if (!parent || compareRank(parent, job) <= 0) break
    heap[place] = parent
    place = above
  }
  heap[place] = job
}

/** Moves `job` from the hole at `place` towards the leaves, then puts it down. */
function sink<J extends QueuedJob>(heap: J[], job: J, place: number): void {
  for (;;) {
    const left = betterChild(heap, place)
    const child = heap[left]
    if (!child || compareRank(job, child) <= 0) break
    heap[place] = child
    place = left
  }
  heap[place] = job
}

function* inList<J extends QueuedJob>(
  list: readonly J[],
  from: number,
  dead: ReadonlySet<string>,
): Generator<J> {
  for (let at = from; at < list.length; at += 1) {
    const job = list[at]
    if (job && !dead.has(job.id)) yield job
  }
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
function* inOrder<J extends QueuedJob>(
  heap: readonly J[],
  dead: ReadonlySet<string>,
): Generator<J> {
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
    if (!dead.has(job.id)) yield job
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
