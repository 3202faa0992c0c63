/** Of an even number of values the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const inOrder = values.toSorted((a, b) => a - b)
  const middle = inOrder.slice((inOrder.length - 1) >> 1, (inOrder.length >> 1) + 1)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}
