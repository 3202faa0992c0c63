/**
 * GraphQL input types made from the JSON Schema of each job type's payload, so that a client gets its
 * payload checked and completed while it types. GraphQL cannot say all that JSON Schema can: what it
 * cannot is taken as JSON, and the job type's own schema has the last word in any case.
 */
import { InputListRef, type InputFieldMap, type InputTypeParam } from '@pothos/core'
import type { JobTypeView } from '../context.ts'
import type { Builder, SchemaTypes } from './builder.ts'
import { camel, createNames, isEnumValue, isName, pascal } from './payload-names.ts'

type JsonSchema = Record<string, unknown>
type InputType = InputTypeParam<SchemaTypes>

/** How a value of one schema is typed, and what makes of the coerced input what the job type expects. */
interface Shape {
  type: InputType
  nullable: boolean
  clean(value: unknown): unknown
}

/** The one-of input, and how one that was given is told as type and payload. */
export interface PayloadInputs {
  type: InputType
  read(given: Record<string, unknown>): { field: string; type: string; payload: unknown } | null
}

/** Names of the schema's own that a job type's name could lead to. */
const RESERVED = [
  ...['SubmitJobInput', 'JobPayloadInput', 'BackoffInput', 'JobFilter', 'Job', 'JobState'],
  ...['JobError', 'JobEdge', 'JobConnection', 'JobType', 'JobCounts', 'Attempt', 'Node', 'Worker'],
  ...['WorkerThread', 'Metrics', 'MetricsPoint', 'MetricsWindow', 'WidthReason', 'PageInfo'],
  ...['Query', 'Mutation', 'Subscription', 'DateTime', 'JSON', 'String', 'Int', 'Float'],
  ...['Boolean', 'ID'],
]
const MAX_DEPTH = 8
const MAX_INT = 2 ** 31 - 1

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const keep = (value: unknown): unknown => value
const shape = (type: InputType): Shape => ({ type, nullable: false, clean: keep })

interface Scope {
  builder: Builder
  freeName(wanted: string): string
  root: JsonSchema
  /** references being followed, so that a schema that contains itself ends as JSON */
  following: readonly string[]
  depth: number
}

const anyJson = (): Shape => ({ ...shape('JSON'), nullable: true })

function toShape(scope: Scope, schema: unknown, name: string): Shape {
  if (!isObject(schema) || scope.depth > MAX_DEPTH) return anyJson()
  if (typeof schema.$ref === 'string') return followReference(scope, schema.$ref, name)
  const alternatives = schema.anyOf ?? schema.oneOf
  if (Array.isArray(alternatives)) return toAlternative(scope, alternatives, name)
  if (Array.isArray(schema.type)) {
    return toAlternative(
      scope,
      schema.type.map((type: unknown) => ({ ...schema, type })),
      name,
    )
  }
  if (schema.allOf || schema.not || schema.if) return anyJson()
  switch (schema.type) {
    case 'object':
      return toObject(scope, schema, name)
    case 'array':
      return toList(scope, schema, name)
    case 'string':
      return toText(scope, schema, name)
    case 'number':
      return shape('Float')
    case 'integer':
      return shape(fitsInt(schema) ? 'Int' : 'Float')
    case 'boolean':
      return shape('Boolean')
    default:
      return anyJson()
  }
}

const fitsInt = ({ minimum, maximum }: JsonSchema): boolean =>
  typeof minimum === 'number' &&
  typeof maximum === 'number' &&
  minimum >= -MAX_INT &&
  maximum <= MAX_INT

/** A schema or null is that schema, nullable; any other choice is beyond GraphQL. */
function toAlternative(scope: Scope, alternatives: unknown[], name: string): Shape {
  const others = alternatives.filter((schema) => !(isObject(schema) && schema.type === 'null'))
  const [only] = others
  if (others.length !== 1) return anyJson()
  const inner = toShape(scope, only, name)
  return { ...inner, nullable: inner.nullable || others.length < alternatives.length }
}

function followReference(scope: Scope, reference: string, name: string): Shape {
  if (!reference.startsWith('#/') || scope.following.includes(reference)) return anyJson()
  let target: unknown = scope.root
  for (const part of reference.slice(2).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    target = isObject(target) && Object.hasOwn(target, key) ? target[key] : undefined
  }
  return toShape({ ...scope, following: [...scope.following, reference] }, target, name)
}

function toText({ builder, freeName }: Scope, schema: JsonSchema, name: string): Shape {
  const values = schema.enum
  if (!Array.isArray(values) || values.length === 0 || !values.every(isEnumValue)) {
    return shape('String')
  }
  return shape(builder.enumType(freeName(name), { values: [...new Set(values)] }))
}

function toList(scope: Scope, schema: JsonSchema, name: string): Shape {
  if (schema.prefixItems || !isObject(schema.items)) return anyJson()
  const item = toShape({ ...scope, depth: scope.depth + 1 }, schema.items, name)
  return {
    type: new InputListRef<SchemaTypes, unknown[]>(item.type, !item.nullable),
    nullable: false,
    clean: item.clean === keep ? keep : (value) => mapList(value, item.clean),
  }
}

const mapList = (value: unknown, clean: (item: unknown) => unknown): unknown =>
  Array.isArray(value) ? value.map(clean) : value

function toObject(scope: Scope, schema: JsonSchema, name: string): Shape {
  const properties = isObject(schema.properties) ? Object.entries(schema.properties) : []
  const open = isObject(schema.additionalProperties)
  if (properties.length === 0 || open || !properties.every(([key]) => isName(key))) {
    return { ...anyJson(), nullable: false }
  }
  const { builder, freeName } = scope
  const inputName = freeName(`${name}Input`)
  const required = Array.isArray(schema.required) ? schema.required : []
  const inside = { ...scope, depth: scope.depth + 1 }
  const shapes = properties.map(([key, property]) => ({
    key,
    property: isObject(property) ? property : {},
    required: required.includes(key),
    shape: toShape(inside, property, `${name}${pascal(key)}`),
  }))
  const ref = builder.inputType(inputName, {
    ...describe(schema),
    fields: (t) =>
      Object.fromEntries(
        shapes.map((field) => [
          field.key,
          t.field({
            type: field.shape.type,
            required: field.required && !field.shape.nullable,
            ...describe(field.property),
            ...defaultOf(field.property),
          }),
        ]),
      ) as InputFieldMap,
  })
  const clean = (value: unknown): unknown => {
    if (!isObject(value)) return value
    const cleaned: Record<string, unknown> = {}
    for (const { key, shape: part } of shapes) {
      const given = value[key]
      // GraphQL clients say null for "not given", which most schemas refuse.
      if (given === undefined || (given === null && !part.nullable)) continue
      cleaned[key] = given === null ? null : part.clean(given)
    }
    return cleaned
  }
  return { type: ref, nullable: false, clean }
}

const describe = ({ description }: JsonSchema) =>
  typeof description === 'string' ? { description } : {}

const defaultOf = ({ default: value }: JsonSchema): { defaultValue?: never } =>
  ['string', 'number', 'boolean'].includes(typeof value) ? { defaultValue: value as never } : {}

/** One field per job type; null where no type can be told. */
export function addPayloadInputs(
  builder: Builder,
  types: readonly JobTypeView[],
): PayloadInputs | null {
  if (types.length === 0) return null
  const freeName = createNames(RESERVED)
  const freeField = createNames([])
  const fields = new Map(
    types.map((jobType) => {
      const scope = {
        builder,
        freeName,
        root: jobType.payloadSchema,
        following: [],
        depth: 0,
      }
      const made = toShape(scope, jobType.payloadSchema, pascal(jobType.type))
      return [freeField(camel(jobType.type)), { jobType, made }]
    }),
  )
  const type = builder.inputType('JobPayloadInput', {
    isOneOf: true,
    description: 'The payload of one job type, typed',
    fields: (t) =>
      Object.fromEntries(
        [...fields].map(([name, { jobType, made }]) => [
          name,
          t.field({ type: made.type, ...describe({ description: jobType.description }) }),
        ]),
      ) as InputFieldMap,
  })
  return {
    type: type as unknown as InputType,
    read(given) {
      for (const [field, { jobType, made }] of fields) {
        const value = given[field]
        if (value === undefined || value === null) continue
        return { field, type: jobType.type, payload: made.clean(value) }
      }
      return null
    },
  }
}
