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

export const createQueue = <J extends QueuedJob = QueuedJob>(jobs: Iterable<J> = []): Queue<J> =>
  new SortedHeap(jobs)

/**
 * A class where the rest of this code has functions: queues are made all the time, and a literal with a getter is
 * of another shape each time it is made, so that V8 threw away what it had compiled for the last one.
 */
class SortedHeap<J extends QueuedJob> implements Queue<J> {
  #heap: J[] = []
  /** true while it is a sorted list, which begins at `head`: what was before has been taken */
  #sorted = true
  #head = 0
  #live = new Map<string, J>()
  /** removed, and still in the heap */
  readonly #dead = new Set<string>()

  constructor(jobs: Iterable<J>) {
    for (const job of jobs) this.add(job)
  }

  get size(): number {
    return this.#live.size
  }

  add(job: J): void {
    if (this.#live.has(job.id)) return
    if (this.#live.size === 0) {
      this.#clearAway()
      // The table that a map outgrew leads to the next one: see `scheduler/running.ts`. A new map has no such past.
      this.#live = new Map()
    } else if (this.#dead.has(job.id)) this.#clearAway()
    this.#live.set(job.id, job)
    const last = this.#heap.at(-1)
    const isEmpty = this.#heap.length === this.#head
    if (this.#sorted && (isEmpty || !last || compareRank(last, job) < 0)) {
      this.#heap.push(job)
      return
    }
    if (this.#sorted) this.#clearAway()
    this.#sorted = false
    rise(this.#heap, job, this.#heap.length)
  }

  remove(id: string): boolean {
    if (!this.#live.delete(id)) return false
    if (this.#heap[this.#head]?.id === id) {
      this.#dropFirst()
      return true
    }
    this.#dead.add(id)
    const many = Math.min(MAX_DEAD, (this.#heap.length - this.#head) / 2)
    if (this.#dead.size > FEW_DEAD && this.#dead.size > many) this.#clearAway()
    return true
  }

  has(id: string): boolean {
    return this.#live.has(id)
  }

  get(id: string): J | undefined {
    return this.#live.get(id)
  }

  peek(): J | undefined {
    this.#clearFront()
    return this.#heap[this.#head]
  }

  pop(): J | undefined {
    const best = this.peek()
    if (best) this.remove(best.id)
    return best
  }

  keepBest(n: number): void {
    if (n >= this.#live.size) return
    this.#heap = take(this, n)
    this.#head = 0
    this.#sorted = true
    this.#live.clear()
    this.#dead.clear()
    for (const job of this.#heap) this.#live.set(job.id, job)
  }

  [Symbol.iterator](): Iterator<J> {
    this.#clearFront()
    return this.#sorted
      ? inList(this.#heap, this.#head, this.#dead)
      : inOrder(this.#heap, this.#dead)
  }

  #clearAway(): void {
    this.#heap = this.#heap.slice(this.#head).filter(({ id }) => !this.#dead.has(id))
    this.#head = 0
    this.#dead.clear()
    if (!this.#sorted) this.#heap.sort(compareRank)
    this.#sorted = true
  }

  /** Dead ones leave the front: the first of a sorted list, the root of a heap. */
  #clearFront(): void {
    let first = this.#heap[this.#head]
    while (first && this.#dead.delete(first.id)) {
      this.#dropFirst()
      first = this.#heap[this.#head]
    }
  }

  #dropFirst(): void {
    if (!this.#sorted) {
      const last = this.#heap.pop()
      if (last && this.#heap.length > 0) sink(this.#heap, last, 0)
      return
    }
    this.#head += 1
    if (this.#head > FEW_DEAD && this.#head > this.#heap.length / 2) {
      this.#heap = this.#heap.slice(this.#head)
      this.#head = 0
    }
  }
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
