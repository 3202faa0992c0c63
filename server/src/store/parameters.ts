/**
 * Columns of many rows as parameters of one statement. node-postgres can turn arrays into parameters by
 * itself, but looks at every character for it: 1 kB payloads then go in at 8,600 jobs/s instead of 70,000.
 */

/** For ids and numbers, which need no quotes; null is NULL. */
export const plainArray = (values: readonly (string | number | null)[]): string =>
  `{${(values.includes(null) ? values.map((value) => value ?? 'NULL') : values).join()}}`

/** For any text; null is NULL. */
export const textArray = (values: readonly (string | null)[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : quoted(value))).join()}}`

const quoted = (text: string): string =>
  /["\\]/.test(text) ? `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : `"${text}"`

/**
 * For JSON texts, to be taken apart by `json_array_elements`, which passes them on as they are: `\u0000`
 * and lone surrogates, which no Postgres text can hold, included. Each must be one valid JSON value.
 */
export const jsonArray = (texts: readonly string[]): string => `[${texts.join()}]`
