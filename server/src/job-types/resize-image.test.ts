import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import resizeImage from './resize-image.ts'
import { runJob } from './testing.ts'

interface Resized {
  image: string
  mimeType: string
  format: string
  width: number
  height: number
  bytes: number
  source: { width: number; height: number; format: string; generated: boolean }
}

const resize = async (payload: unknown) => (await runJob(resizeImage, payload)) as Resized
const decoded = ({ image }: Resized) => sharp(Buffer.from(image, 'base64')).metadata()

/** Red on the left, blue on the right. */
const picture = (width = 200, height = 100) =>
  sharp({ create: { width, height, channels: 3, background: '#d00' } }).composite([
    {
      input: {
        create: { width: width / 2, height, channels: 3 as const, background: '#00d' },
      },
      left: width / 2,
      top: 0,
    },
  ])

describe('resize_image', () => {
  it('draws a test picture where none is given, and tells its facts', async () => {
    const resized = await resize({ width: 320, height: 200 })
    expect(resized).toMatchObject({
      format: 'png',
      mimeType: 'image/png',
      width: 320,
      height: 200,
      source: { generated: true },
    })
    expect(Buffer.from(resized.image, 'base64')).toHaveLength(resized.bytes)
    expect(await decoded(resized)).toMatchObject({ format: 'png', width: 320, height: 200 })
  })

  it.each(['png', 'jpeg', 'webp', 'avif'])('writes %s', async (format) => {
    const image = (await picture().png().toBuffer()).toString('base64')
    const resized = await resize({ image, width: 60, format })
    expect(resized).toMatchObject({ format, width: 60, height: 30 })
    expect((await decoded(resized)).format).toBe(format === 'avif' ? 'heif' : format)
  })

  it("keeps the image's own format and proportions, from base64 and from a data URL alike", async () => {
    const base64 = (await picture().jpeg().toBuffer()).toString('base64')
    const plain = await resize({ image: base64, width: 50 })
    const url = await resize({ image: `data:image/jpeg;base64,${base64}`, width: 50 })
    expect(plain).toMatchObject({ format: 'jpeg', width: 50, height: 25 })
    expect(url.image).toBe(plain.image)
  })

  it.each([
    ['cover', 80, 80],
    ['contain', 80, 80],
    ['fill', 80, 80],
    ['inside', 80, 40],
    ['outside', 160, 80],
  ])('fits by %s', async (fit, width, height) => {
    const image = (await picture().png().toBuffer()).toString('base64')
    expect(await resize({ image, width: 80, height: 80, fit })).toMatchObject({ width, height })
  })

  it('turns a photograph upright as its camera says', async () => {
    // Orientation 6: the camera was held on its side, the first row is the right edge.
    const image = (await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer()).toString(
      'base64',
    )
    const resized = await resize({ image, width: 50 })
    expect(resized).toMatchObject({ width: 50, height: 100 })
    const { data } = await sharp(Buffer.from(resized.image, 'base64'))
      .raw()
      .toBuffer({ resolveWithObject: true })
    // What was on the left is on top now.
    expect(data[0]).toBeGreaterThan(150)
    expect(data[data.length - 1]).toBeGreaterThan(150)
  })

  it('says what is wrong with an image', async () => {
    await expect(resize({ image: 'no, not this!', width: 10 })).rejects.toThrow('not base64')
    const noImage = Buffer.from('just text').toString('base64')
    await expect(resize({ image: noImage, width: 10 })).rejects.toThrow(/cannot be read/)
    const cut = (await picture(900, 900).jpeg().toBuffer()).subarray(0, 3_000).toString('base64')
    await expect(resize({ image: cut, width: 10 })).rejects.toThrow()
  })

  it.each([{ width: 0 }, { width: 8193 }, { width: 1.5 }, { width: 10, fit: 'squeeze' }, {}])(
    'refuses %j',
    (payload) => {
      expect(resizeImage.payload.safeParse(payload).success).toBe(false)
    },
  )
})
