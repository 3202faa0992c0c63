type JsonSchema = Record<string, unknown>

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : undefined)

const MAX_DEPTH = 6

/**
 * A value that fits a JSON Schema, for forms and for examples in documentation: the schema's own
 * example where it has one, otherwise the simplest value with every required property.
 */
export function exampleOf(schema: unknown, depth = 0): unknown {
  if (!isObject(schema) || depth > MAX_DEPTH) return null
  const given = first(schema.examples) ?? schema.example ?? schema.default ?? schema.const
  if (given !== undefined) return given
  const choice = first(schema.enum) ?? undefined
  if (choice !== undefined) return choice
  const branch = first(schema.anyOf) ?? first(schema.oneOf)
  if (branch !== undefined) return exampleOf(branch, depth + 1)
  return exampleOfType(schema, depth)
}

function exampleOfType(schema: JsonSchema, depth: number): unknown {
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return exampleObject(schema, depth)
    case 'array':
      return exampleArray(schema, depth)
    case 'number':
    case 'integer':
      return exampleNumber(schema)
    case 'string':
      return exampleText(schema)
    case 'boolean':
      return true
    default:
      return null
  }
}

function exampleObject(schema: JsonSchema, depth: number): JsonSchema {
  const properties = isObject(schema.properties) ? schema.properties : {}
  const required = Array.isArray(schema.required) ? schema.required : []
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => required.includes(name))
      .map(([name, property]) => [name, exampleOf(property, depth + 1)]),
  )
}

function exampleArray(schema: JsonSchema, depth: number): unknown[] {
  const item = exampleOf(schema.items, depth + 1)
  const least = typeof schema.minItems === 'number' ? schema.minItems : 0
  if (typeof item === 'number') {
    return Array.from({ length: Math.max(3, Math.min(least, 100)) }, (_, index) => item + index)
  }
  return Array.from({ length: Math.max(1, Math.min(least, 100)) }, () => item)
}

function exampleNumber(schema: JsonSchema): number {
  const limit = (name: string): number | undefined => {
    const value = schema[name]
    return typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER
      ? value
      : undefined
  }
  const exclusive = limit('exclusiveMinimum')
  const least = limit('minimum') ?? (exclusive === undefined ? -Infinity : exclusive + 1)
  return Math.max(least, Math.min(1, limit('maximum') ?? 1))
}

const formats: Record<string, string> = {
  'date-time': '2030-01-31T09:00:00Z',
  date: '2030-01-31',
  email: 'ada@example.org',
  uri: 'https://example.org/',
  uuid: '019a0000-0000-7000-8000-000000000000',
}

function exampleText(schema: JsonSchema): string {
  const known = typeof schema.format === 'string' ? formats[schema.format] : undefined
  const least = typeof schema.minLength === 'number' ? schema.minLength : 0
  return known ?? 'text'.padEnd(Math.min(least, 1000), '.')
}
