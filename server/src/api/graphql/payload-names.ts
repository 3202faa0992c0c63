const GRAPHQL_NAME = /^(?!__)[_A-Za-z][_0-9A-Za-z]*$/

/** Names that start with two underscores belong to GraphQL itself. */
export const isName = (text: string): boolean => GRAPHQL_NAME.test(text)

/** `true`, `false` and `null` are no enum values in GraphQL. */
export const isEnumValue = (value: unknown): value is string =>
  typeof value === 'string' && isName(value) && !['true', 'false', 'null'].includes(value)

/** add_numbers → AddNumbers */
export function pascal(text: string): string {
  const name = text
    .split(/[^0-9A-Za-z]+/)
    .filter(Boolean)
    .map((word) => `${word[0]?.toUpperCase() ?? ''}${word.slice(1)}`)
    .join('')
  return /^[A-Za-z]/.test(name) ? name : `_${name}`.replace(/^_$/, 'Payload')
}

/** add_numbers → addNumbers */
export const camel = (text: string): string => {
  const name = pascal(text)
  return `${name[0]?.toLowerCase() ?? ''}${name.slice(1)}`
}

/** Gives out each name once: the second AddNumbersInput becomes AddNumbersInput2. */
export function createNames(taken: Iterable<string>): (wanted: string) => string {
  const used = new Set(taken)
  return (wanted) => {
    let name = wanted
    for (let n = 2; used.has(name); n += 1) name = `${wanted}${n}`
    used.add(name)
    return name
  }
}
