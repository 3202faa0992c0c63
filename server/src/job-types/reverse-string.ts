import { z } from 'zod'
import { defineJob } from './job-type.ts'

/** What a reader takes for one character, e.g. a letter with its accents, or an emoji of several people. */
const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })

export default defineJob({
  type: 'reverse_string',
  description: 'Reverses a text, character by character as people see them',
  payload: z.strictObject({ text: z.string() }).meta({ examples: [{ text: 'Heddle 🧵' }] }),
  run: ({ text }) =>
    Array.from(graphemes.segment(text), ({ segment }) => segment)
      .reverse()
      .join(''),
})
