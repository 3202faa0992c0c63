import { flat } from '../core/flat.ts'

/**
 * Gathers what arrives within one turn of the event loop into one call, and while calls are under way
 * lets the next batch grow. This is group commit: the busier it is, the larger the batches become, and
 * an idle system still answers after a single round trip.
 */
export interface Batcher<In, Out> {
  /** Resolves with one output per input, in order, once their batch has been run. */
  add(items: In[]): Promise<Out[]>
}

export interface BatcherOptions<In, Out> {
  /** one output per input, in order */
  run(items: In[]): Promise<Out[]>
  /** a call's items are never torn apart, so one batch may exceed this by one call */
  maxItems: number
  maxBytes?: number
  bytes?(item: In): number
  /** calls under way at once */
  maxFlights: number
  /**
   * Batches that fill less than this share of `maxItems` and of `maxBytes` go one after another, and larger ones
   * beside them. 0 where not told: all go beside each other.
   */
  smallBelow?: number
}

interface Waiting<In, Out> {
  items: In[]
  bytes: number
  resolve(out: Out[]): void
  reject(error: unknown): void
}

export function createBatcher<In, Out>(options: BatcherOptions<In, Out>): Batcher<In, Out> {
  const { maxItems, maxFlights, maxBytes = Infinity, smallBelow = 0 } = options
  const waiting: Waiting<In, Out>[] = []
  let flights = 0
  let smallFlights = 0
  let scheduled = false

  const isSmall = (calls: readonly Waiting<In, Out>[]): boolean =>
    calls.reduce((sum, { items }) => sum + items.length, 0) < smallBelow * maxItems &&
    calls.reduce((sum, { bytes }) => sum + bytes, 0) < smallBelow * maxBytes

  const mayFly = (): boolean =>
    waiting.length > 0 && flights < maxFlights && (smallFlights === 0 || !isSmall(waiting))

  const takeBatch = (): Waiting<In, Out>[] => {
    let items = 0
    let bytes = 0
    let end = 0
    for (const call of waiting) {
      if (end > 0 && (items + call.items.length > maxItems || bytes + call.bytes > maxBytes)) break
      items += call.items.length
      bytes += call.bytes
      end += 1
    }
    return waiting.splice(0, end)
  }

  const fly = async (batch: Waiting<In, Out>[]): Promise<void> => {
    try {
      const out = await options.run(flat(batch.map((call) => call.items)))
      let from = 0
      for (const call of batch) {
        call.resolve(out.slice(from, from + call.items.length))
        from += call.items.length
      }
    } catch (error) {
      for (const call of batch) call.reject(error)
    }
  }

  const flush = (): void => {
    scheduled = false
    while (mayFly()) {
      const batch = takeBatch()
      const small = isSmall(batch) ? 1 : 0
      flights += 1
      smallFlights += small
      void fly(batch).then(() => {
        flights -= 1
        smallFlights -= small
        if (waiting.length > 0) flush()
      })
    }
  }

  return {
    add(items) {
      const bytes = options.bytes ? items.reduce((sum, item) => sum + options.bytes!(item), 0) : 0
      return new Promise((resolve, reject) => {
        waiting.push({ items, bytes, resolve, reject })
        if (scheduled || flights >= maxFlights) return
        scheduled = true
        setImmediate(flush)
      })
    },
  }
}
