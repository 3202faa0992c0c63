import { perform } from '../compare/workload.mjs'

/** Compensated as Heddle's `large_array_sum` is (Neumaier), so that both do the same arithmetic. */
function sum({ numbers, start, end }) {
  let total = 0
  let lost = 0
  for (let index = start; index < Math.min(end, numbers.length); index += 1) {
    const value = numbers[index]
    const next = total + value
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total
    total = next
  }
  return total + lost
}

export default (task) => (task.kind === 'sum' ? sum(task) : perform(task.kind, task.payload))
