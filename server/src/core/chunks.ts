/** Items `start` (included) to `end` (not included) of some list. */
export interface Range {
  start: number
  end: number
}

/**
 * Cuts `n` items into at most `parts` contiguous ranges of nearly equal size, none of them empty.
 * With a `block` size cuts fall only between blocks, so that work done block by block comes out the same
 * for any number of parts.
 */
export function chunks(n: number, parts: number, block = 1): Range[] {
  const blocks = Math.ceil(n / block)
  const count = Math.min(parts, blocks)
  return Array.from({ length: count }, (_, part) => ({
    start: Math.floor((part * blocks) / count) * block,
    end: Math.min(n, Math.floor(((part + 1) * blocks) / count) * block),
  }))
}
