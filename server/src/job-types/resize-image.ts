import { z } from 'zod'
import { defineJob } from './job-type.ts'
import { testPicture } from './test-picture.ts'

/** 100 megapixels: the decoded image takes 400 MB then, outside the thread's heap limit. */
const MAX_INPUT_PIXELS = 100_000_000
const MAX_SIDE = 8192
/** libvips cannot be interrupted, so it is told to give up by itself. */
const GIVE_UP_S = 60

const side = z.int().min(1).max(MAX_SIDE)
const formats = ['png', 'jpeg', 'webp', 'avif'] as const

const Payload = z
  .strictObject({
    image: z.string().optional().meta({
      description: 'The image as base64 or data URL; a test picture is made when none is given',
      format: 'byte',
      contentMediaType: 'image/*',
    }),
    width: side.meta({ description: 'Pixels' }),
    height: side.optional().meta({ description: 'Pixels; keeps the proportions when not given' }),
    fit: z.enum(['cover', 'contain', 'fill', 'inside', 'outside']).default('cover'),
    format: z.enum(formats).optional().meta({ description: "The image's own when not given" }),
  })
  .meta({ examples: [{ width: 320, height: 200 }] })

const decode = (image: string): Buffer => {
  const base64 = image.startsWith('data:') ? image.slice(image.indexOf(',') + 1) : image
  if (!/^[A-Za-z0-9+/_\s-]+={0,2}\s*$/.test(base64)) throw new TypeError('image is not base64')
  return Buffer.from(base64, 'base64')
}

const isOutputFormat = (format: string | undefined): format is (typeof formats)[number] =>
  formats.some((known) => known === format)

export default defineJob({
  type: 'resize_image',
  description: 'Resizes an image, or a test picture when none is given',
  payload: Payload,
  async run({ image, width, height, fit, format }) {
    // Loaded when first needed: threads that never see an image need not pay for it.
    const { default: sharp } = await import('sharp')
    // Parallelism is the scheduler's business: one job uses the threads it was given and no more.
    sharp.concurrency(1)
    const input = image === undefined ? await testPicture(sharp) : decode(image)
    const source = sharp(input, { limitInputPixels: MAX_INPUT_PIXELS, failOn: 'error' })
    const before = await source.metadata().catch((error: unknown) => {
      throw new TypeError('image cannot be read: it is damaged, or of no format known here', {
        cause: error,
      })
    })
    const target = format ?? (isOutputFormat(before.format) ? before.format : 'png')
    const { data, info } = await source
      .autoOrient()
      .resize({ width, height, fit })
      .toFormat(target)
      .timeout({ seconds: GIVE_UP_S })
      .toBuffer({ resolveWithObject: true })
    return {
      image: data.toString('base64'),
      mimeType: `image/${target}`,
      format: target,
      width: info.width,
      height: info.height,
      bytes: data.length,
      source: {
        width: before.width,
        height: before.height,
        format: before.format,
        bytes: input.length,
        generated: image === undefined,
      },
    }
  },
})
