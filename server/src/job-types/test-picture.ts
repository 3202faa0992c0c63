import type sharp from 'sharp'

const WIDTH = 1200
const HEIGHT = 800
const THREADS = 24

/** Woven threads on a dusk sky: gradients, thin lines and hard edges, so that a bad resize shows. */
function drawing(): string {
  const warp = Array.from({ length: THREADS }, (_, n) => {
    const x = ((n + 0.5) * WIDTH) / THREADS
    return `<path d="M${x} 0 V${HEIGHT}" stroke="hsl(${200 + n * 6} 70% 62%)" stroke-width="14" opacity="0.55"/>`
  })
  const weft = Array.from({ length: 9 }, (_, n) => {
    const y = 260 + n * 52
    const wave = `M-20 ${y} C 300 ${y - 90}, 500 ${y + 90}, 800 ${y} S 1200 ${y - 80}, 1240 ${y}`
    return `<path d="${wave}" fill="none" stroke="hsl(${20 + n * 9} 85% 62%)" stroke-width="12" stroke-dasharray="50 50" stroke-dashoffset="${n * 50}"/>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">
    <defs>
      <linearGradient id="sky" x1="0" y1="0" x2="0.3" y2="1">
        <stop offset="0" stop-color="#1b1f4b"/><stop offset="0.6" stop-color="#5b3f7f"/><stop offset="1" stop-color="#e07a5f"/>
      </linearGradient>
      <radialGradient id="sun"><stop offset="0" stop-color="#fff4d6"/><stop offset="1" stop-color="#f2cc8f" stop-opacity="0"/></radialGradient>
    </defs>
    <rect width="100%" height="100%" fill="url(#sky)"/>
    <circle cx="880" cy="220" r="190" fill="url(#sun)"/>
    ${warp.join('')}${weft.join('')}
  </svg>`
}

export const testPicture = (draw: typeof sharp): Promise<Buffer> =>
  draw(Buffer.from(drawing())).png().toBuffer()
