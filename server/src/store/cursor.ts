import { HeddleError } from '../core/errors.ts'

/** Opaque to callers: base64url of the sort key of a row. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export const isUuid = (text: string): boolean => UUID.test(text)

const encode = (text: string): string => Buffer.from(text).toString('base64url')

function decode(cursor: string): string[] {
  return Buffer.from(cursor, 'base64url').toString().split(':')
}

const badCursor = (): HeddleError =>
  new HeddleError('INVALID_CURSOR', 'The cursor is not one of this list', {
    hint: 'Pass on a cursor exactly as it came with a page',
  })

export const activeCursor = (id: string): string => encode(`active:${id}`)

/** The id; INVALID_CURSOR */
export function readActiveCursor(cursor: string): string {
  const [kind, id = '', ...rest] = decode(cursor)
  if (kind !== 'active' || !isUuid(id) || rest.length > 0) throw badCursor()
  return id
}

export interface HistoryKey {
  finishedAt: number
  id: string
}

export const historyCursor = ({ finishedAt, id }: HistoryKey): string =>
  encode(`history:${Math.round(finishedAt * 1000)}:${id}`)

/** INVALID_CURSOR */
export function readHistoryCursor(cursor: string): HistoryKey {
  const [kind, microseconds = '', id = '', ...rest] = decode(cursor)
  if (kind !== 'history' || !/^\d{1,16}$/.test(microseconds) || !isUuid(id) || rest.length > 0) {
    throw badCursor()
  }
  return { finishedAt: Number(microseconds) / 1000, id }
}
