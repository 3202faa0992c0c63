import { describe, expect, it } from 'vitest'
import { pictureOf } from './result-view.tsx'

describe('the picture in a result', () => {
  it('is taken apart from the facts about it', () => {
    expect(pictureOf({ image: 'AAAA', mimeType: 'image/webp', width: 3 })).toEqual({
      image: 'AAAA',
      mimeType: 'image/webp',
      facts: { width: 3 },
    })
  })

  it.each([
    ['nothing', null],
    ['a number', 55],
    ['text', 'AAAA'],
    ['a list', ['AAAA']],
    ['an image of no known kind', { image: 'AAAA' }],
    ['an image that is no text', { image: 7, mimeType: 'image/png' }],
    // May carry scripts.
    ['an SVG', { image: 'AAAA', mimeType: 'image/svg+xml' }],
    ['a type that only starts like one', { image: 'AAAA', mimeType: 'image/png;text/html' }],
  ])('is not seen in %s', (_what, result) => expect(pictureOf(result)).toBeNull())
})
