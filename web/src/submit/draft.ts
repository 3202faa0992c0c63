import type { SubmitJobInput } from '../graphql/generated/graphql.ts'
import type { Issue } from '../graphql/errors.ts'
import { prettyJson } from '../ui/pretty-json.ts'
import {
  fieldsOf,
  payloadOf,
  readJson,
  valuesOf,
  type PayloadField,
  type Values,
} from './payload-fields.ts'

/** Everything but the payload, as it stands in the controls. */
export interface Options {
  name: string
  priority: string
  threadDemand: string
  delayS: string
  maxAttempts: string
  timeoutS: string
  fairnessKey: string
}

export const noOptions: Options = {
  name: '',
  priority: '0',
  threadDemand: '1',
  delayS: '',
  maxAttempts: '',
  timeoutS: '',
  fairnessKey: '',
}

export type Problems = Record<string, string>

export interface Draft {
  type: string
  options: Options
  fields: PayloadField[] | null
  values: Values
  /** the payload as JSON; null while it is written field by field */
  json: string | null
}

interface DraftableType {
  type: string
  payloadSchema: unknown
  example: unknown
  parallel: boolean
}

const MS_PER_S = 1000
/** GraphQL's Int has 32 bits, and refuses more with words of its own before the server can name the field. */
const MAX_INT = 2 ** 31 - 1

const numbers: [
  keyof Options,
  'priority' | 'threadDemand' | 'delayMs' | 'maxAttempts' | 'timeoutMs',
  number,
][] = [
  ['priority', 'priority', 1],
  ['threadDemand', 'threadDemand', 1],
  ['delayS', 'delayMs', MS_PER_S],
  ['maxAttempts', 'maxAttempts', 1],
  ['timeoutS', 'timeoutMs', MS_PER_S],
]

/** What is to be submitted, and what stands in its way by the name of the control. */
export function inputOf(draft: Draft): { input: SubmitJobInput; problems: Problems } {
  const { payload, problems } = payloadFrom(draft)
  const input: SubmitJobInput = { type: draft.type, payload }
  for (const key of ['name', 'fairnessKey'] as const) {
    const text = draft.options[key].trim()
    if (text !== '') input[key] = text
  }
  for (const [control, key, factor] of numbers) {
    const text = draft.options[control].trim()
    if (text === '') continue
    const number = factor === 1 ? Number(text) : Math.round(Number(text) * factor)
    const problem = problemOf(number, key)
    if (problem === undefined) input[key] = number
    else problems[control] = problem
  }
  return { input, problems }
}

function problemOf(number: number, key: (typeof numbers)[number][1]): string | undefined {
  if (Number.isNaN(number)) return 'This is not a number'
  if (!Number.isInteger(number)) return 'This is not a whole number'
  return key !== 'delayMs' && Math.abs(number) > MAX_INT ? 'This is too large' : undefined
}

function payloadFrom({ json, fields, values }: Draft): { payload: unknown; problems: Problems } {
  if (json === null && fields) {
    const { payload, problems } = payloadOf(fields, values)
    const named = Object.entries(problems).map(([key, text]) => [`payload.${key}`, text])
    return { payload, problems: Object.fromEntries(named) as Problems }
  }
  const read = readJson(json ?? '')
  return read.ok
    ? { payload: read.value, problems: {} }
    : { payload: null, problems: { payload: read.problem } }
}

/** The first draft of a type's job: its example. */
export function draftOf({ type, payloadSchema, example, parallel }: DraftableType): Draft {
  const fields = fieldsOf(payloadSchema)
  return {
    type,
    options: { ...noOptions, threadDemand: parallel ? '4' : '1' },
    fields,
    values: fields ? valuesOf(fields, example) : {},
    json: fields ? null : prettyJson(example ?? {}),
  }
}

/** Between fields and JSON, with all that has been written. What fields cannot show stays JSON. */
export function switched(draft: Draft): { draft: Draft; problems: Problems } {
  const { fields, json, values } = draft
  const stay = (problem: string) => ({ draft, problems: { payload: problem } })
  if (!fields) return { draft, problems: {} }
  if (json === null) {
    const { payload, problems } = payloadOf(fields, values)
    for (const key of Object.keys(problems)) if (values[key]) payload[key] = values[key]
    return { draft: { ...draft, json: prettyJson(payload) }, problems: {} }
  }
  const read = readJson(json)
  if (!read.ok) return stay(read.problem)
  if (typeof read.value !== 'object' || read.value === null || Array.isArray(read.value)) {
    return stay('Only an object has fields')
  }
  const unknown = Object.keys(read.value).find((name) => !fields.some(({ key }) => key === name))
  if (unknown !== undefined) return stay(`There is no field for “${unknown}”`)
  return { draft: { ...draft, json: null, values: valuesOf(fields, read.value) }, problems: {} }
}

const controlOf: Record<string, keyof Options> = {
  delayMs: 'delayS',
  timeoutMs: 'timeoutS',
  runAt: 'delayS',
}

/** The server's issues by the control that they belong to; the deeper path is told in words. */
export function problemsOf(issues: Issue[], byField: boolean): Problems {
  const problems: Problems = {}
  for (const { path, message } of issues) {
    const [head = '', ...rest] = path.map(String)
    const isPayload = head === 'payload'
    const control = isPayload
      ? byField && rest[0] !== undefined
        ? `payload.${rest[0]}`
        : 'payload'
      : (controlOf[head] ?? head)
    const deeper = isPayload ? rest.slice(byField ? 1 : 0).join('.') : ''
    const text = deeper === '' ? message : `${deeper}: ${message}`
    problems[control] = problems[control] === undefined ? text : `${problems[control]}\n${text}`
  }
  return problems
}
