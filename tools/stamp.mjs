// Remembers from which sources something was made, so that it is made again only when they change.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './steps.mjs'

const FOLDER = path.join(ROOT, 'node_modules', '.heddle')
const MADE = new Set(['node_modules', 'dist', 'generated', 'coverage'])

function filesUnder(place) {
  const stats = statSync(place, { throwIfNoEntry: false })
  if (!stats) return []
  if (!stats.isDirectory()) return [place]
  return readdirSync(place)
    .filter((name) => !MADE.has(name) && !/\.test\.tsx?$/.test(name))
    .sort()
    .flatMap((name) => filesUnder(path.join(place, name)))
}

/**
 * One hash over the names and contents of all files in these places. Contents and not times, because a
 * checkout sets times anew; some hundred small files take a few milliseconds.
 */
export function fingerprint(places) {
  const hash = createHash('sha256')
  for (const file of places.flatMap((place) => filesUnder(path.join(ROOT, place)))) {
    hash
      .update(`${path.relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  }
  return hash.digest('hex')
}

const stampFile = (name) => path.join(FOLDER, name)

export function stampSays(name, value) {
  try {
    return readFileSync(stampFile(name), 'utf8') === value
  } catch {
    return false
  }
}

export function writeStamp(name, value) {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(stampFile(name), value)
}

/** Before making something: half of it must not pass for the whole after a crash. */
export const clearStamp = (name) => rmSync(stampFile(name), { force: true })
