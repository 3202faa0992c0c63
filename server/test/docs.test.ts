import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { transitions } from '../src/core/transition.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')

describe('docs/architecture.md', () => {
  it('draws the state machine that the code has', () => {
    const drawing = /stateDiagram-v2\n(.*?)```/s.exec(read('docs/architecture.md'))?.[1] ?? ''
    const drawn = [...drawing.matchAll(/(\S+) --> (\w+)/g)].map(
      ([, from, to]) => `${from === '[*]' ? 'NEW' : from} → ${to}`,
    )
    const coded = Object.entries(transitions).flatMap(([from, tos]) =>
      tos.map((to) => `${from} → ${to}`),
    )
    expect(drawn.toSorted()).toEqual(coded.toSorted())
  })

  it('names only folders and files that are there', () => {
    const named = [
      ...read('docs/architecture.md').matchAll(
        /`((?:server|web|core|store|api|scheduler|job-types|workers|bus)\/[\w./-]+)`/g,
      ),
    ]
    expect(named.length).toBeGreaterThan(15)
    const missing = named
      .map(([, name]) => name ?? '')
      .filter(
        (name) =>
          ![ROOT, path.join(ROOT, 'server/src')].some((base) => existsSync(path.join(base, name))),
      )
    expect(missing).toEqual([])
  })
})
