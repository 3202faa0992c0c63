/** The parts of JSON Schema that a form can show; everything else is written as JSON. */
interface Schema {
  type?: unknown
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  enum?: unknown[]
  description?: string
  default?: unknown
  minimum?: number
  maximum?: number
  maxLength?: number
  contentMediaType?: string
}

export type FieldKind =
  'text' | 'number' | 'integer' | 'flag' | 'choice' | 'file' | 'numbers' | 'json'

export interface PayloadField {
  key: string
  kind: FieldKind
  required: boolean
  hint: string | undefined
  choices: string[]
  /** of a file input, e.g. 'image/*' */
  accept: string | undefined
}

/** What stands in the controls, by field. */
export type Values = Record<string, string>

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null

function kindOf(schema: Schema): FieldKind {
  if (schema.enum?.every((choice) => typeof choice === 'string')) return 'choice'
  if (schema.contentMediaType) return 'file'
  if (schema.type === 'string') return 'text'
  if (schema.type === 'number') return 'number'
  if (schema.type === 'integer') return 'integer'
  if (schema.type === 'boolean') return 'flag'
  const item = schema.items?.type
  return schema.type === 'array' && (item === 'number' || item === 'integer') ? 'numbers' : 'json'
}

/** zod gives whole numbers the limits of what a double can hold: no news to anybody. */
const isTold = (limit: number | undefined): limit is number =>
  limit !== undefined && Math.abs(limit) < Number.MAX_SAFE_INTEGER

function hintOf({ description, minimum, maximum, default: preset }: Schema): string | undefined {
  const limits =
    isTold(minimum) && isTold(maximum)
      ? `${minimum} to ${maximum}`
      : isTold(minimum)
        ? `${minimum} or more`
        : isTold(maximum)
          ? `${maximum} at most`
          : undefined
  const parts = [
    description,
    limits,
    preset === undefined ? undefined : `${asText(preset)} unless told`,
  ]
  const hint = parts.filter((part) => part !== undefined).join('; ')
  return hint === '' ? undefined : hint
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '')

/** One field for each property, or null where the payload is no object with known ones. */
export function fieldsOf(schema: unknown): PayloadField[] | null {
  if (!isSchema(schema) || schema.type !== 'object' || !schema.properties) return null
  const required = schema.required ?? []
  return Object.entries(schema.properties).map(([key, property]) => ({
    key,
    kind: kindOf(property),
    required: required.includes(key),
    hint: hintOf(property),
    choices: (property.enum ?? []).map(asText),
    accept: property.contentMediaType,
  }))
}

/** What a payload looks like in the controls. */
export function valuesOf(fields: PayloadField[], payload: unknown): Values {
  const given = isSchema(payload) ? (payload as Record<string, unknown>) : {}
  return Object.fromEntries(
    fields
      .filter(({ key }) => given[key] !== undefined)
      .map(({ key, kind }) => {
        const value = given[key]
        return [key, kind === 'numbers' && Array.isArray(value) ? value.join(', ') : asText(value)]
      }),
  )
}

export type Read = { ok: true; value: unknown } | { ok: false; problem: string }

const read = (value: unknown): Read => ({ ok: true, value })
const wrong = (problem: string): Read => ({ ok: false, problem })

export function readJson(text: string): Read {
  try {
    return read(JSON.parse(text))
  } catch (error) {
    return wrong(`This is not JSON: ${(error as Error).message}`)
  }
}

function readNumbers(text: string): Read {
  const words = text
    .replaceAll(/[[\]]/g, ' ')
    .split(/[\s,;]+/)
    .filter(Boolean)
  const numbers = words.map(Number)
  const bad = words.find((_word, index) => Number.isNaN(numbers[index]))
  return bad === undefined ? read(numbers) : wrong(`“${bad}” is not a number`)
}

function readField({ kind }: PayloadField, text: string): Read {
  switch (kind) {
    case 'number':
    case 'integer': {
      const number = Number(text)
      return text.trim() === '' || Number.isNaN(number)
        ? wrong('This is not a number')
        : read(number)
    }
    case 'flag':
      return read(text === 'true')
    case 'numbers':
      return readNumbers(text)
    case 'json':
      return readJson(text)
    case 'text':
    case 'choice':
    case 'file':
      return read(text)
  }
}

/**
 * The payload that the controls say, and what is wrong with them by field. Whether it fits is for the
 * server to say; an empty control of an optional field is left out.
 */
export function payloadOf(
  fields: PayloadField[],
  values: Values,
): { payload: Record<string, unknown>; problems: Record<string, string> } {
  const payload: Record<string, unknown> = {}
  const problems: Record<string, string> = {}
  for (const field of fields) {
    const text = values[field.key] ?? ''
    const skipped =
      text === '' && !(field.required && (field.kind === 'text' || field.kind === 'numbers'))
    if (skipped) {
      if (field.required && field.kind !== 'flag') problems[field.key] = 'This is needed'
      continue
    }
    const result = readField(field, text)
    if (result.ok) payload[field.key] = result.value
    else problems[field.key] = result.problem
  }
  return { payload, problems }
}
