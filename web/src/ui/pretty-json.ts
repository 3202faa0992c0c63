/** JSON as people write it: indented, with a list of plain values on one line. */
export function prettyJson(value: unknown, indent = ''): string {
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    if (value.every(isPlain)) return `[${value.map((item) => plain(item)).join(', ')}]`
    return `[\n${value.map((item) => inner + prettyJson(item, inner)).join(',\n')}\n${indent}]`
  }
  if (isPlain(value)) return plain(value)
  const entries = Object.entries(value as object).filter(([, item]) => item !== undefined)
  if (entries.length === 0) return '{}'
  const lines = entries.map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${prettyJson(item, inner)}`,
  )
  return `{\n${lines.join(',\n')}\n${indent}}`
}

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null

const plain = (value: unknown): string => JSON.stringify(value) ?? 'null'
