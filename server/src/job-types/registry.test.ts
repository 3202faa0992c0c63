import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadRegistry, type Registry } from './registry.ts'

const greeting = (type: string): string => `
import { defineJob } from 'heddle'
import { z } from 'zod'
export default defineJob({
  type: '${type}',
  payload: z.object({ name: z.string().max(5) }),
  run: ({ name }) => 'Hello ' + name,
})`

describe('the registry', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-types-'))
    mkdirSync(path.join(folder, 'jobs'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const load = (modules: Record<string, string>): Promise<Registry> => {
    for (const [name, text] of Object.entries(modules)) {
      writeFileSync(path.join(folder, 'jobs', name), text)
    }
    return loadRegistry({
      jobsDir: path.join(folder, 'jobs'),
      cacheDir: path.join(folder, 'cache'),
    })
  }
  const own = ({ types }: Registry): string[] =>
    types.filter(({ source }) => source !== 'built-in').map(({ type }) => type)

  it('has the four built-in types without a folder', async () => {
    const { types, broken } = await loadRegistry({ cacheDir: path.join(folder, 'cache') })
    expect(types.map(({ type, parallel }) => [type, parallel])).toEqual([
      ['add_numbers', false],
      ['reverse_string', false],
      ['resize_image', false],
      ['large_array_sum', true],
    ])
    expect(broken).toEqual([])
  })

  it('takes TypeScript and JavaScript, several types of a module, and code of its own beside it', async () => {
    const registry = await load({
      'a.ts': `${greeting('from_ts')}\nconst unused: number = 1; void unused`,
      'b.mjs': greeting('from_js'),
      'c.ts': `import { shout } from './shout/index.ts'
        import { defineJob } from 'heddle'
        import { z } from 'zod'
        const job = (type: string) => defineJob({ type, payload: z.string(), run: (text) => shout(text) })
        export default [job('shout_one'), job('shout_two')]`,
      ...(mkdirSync(path.join(folder, 'jobs/shout')),
      { 'shout/index.ts': 'export const shout = (text: string): string => text.toUpperCase()' }),
      'skipped.test.ts': 'throw new Error("a test is no job type")',
      'skipped.d.ts': 'export {}',
      'README.md': 'not a module',
    })
    expect(registry.broken).toEqual([])
    expect(own(registry)).toEqual(['from_ts', 'from_js', 'shout_one', 'shout_two'])
  })

  it.each([
    ['does not compile', 'export default defineJob({', /Expected|Unexpected/],
    ['throws', 'throw new Error("no licence")', /no licence/],
    ['exports nothing', 'export const job = 1', /no default export/],
    ['names no type', 'export default { payload: {}, run() {} }', /snake_case/],
    ['has a payload of another kind', 'export default { type: "x", payload: {}, run() {} }', /zod/],
    [
      'has nothing to run',
      `import { z } from 'zod'; export default { type: 'x', payload: z.object({}) }`,
      /either run, or parallel/,
    ],
    ['is named like a built-in', greeting('add_numbers'), /exists already/],
    ['needs what is not installed', 'import "nowhere"; export default 1', /nowhere/],
  ])('names a module that %s, and goes on without it', async (_what, text, reason) => {
    const registry = await load({ 'a.mjs': text, 'b.mjs': greeting('good') })
    expect(own(registry)).toEqual(['good'])
    expect(registry.broken).toHaveLength(1)
    expect(registry.broken[0]?.file).toMatch(/a\.mjs$/)
    expect(registry.broken[0]?.error.message).toMatch(reason)
  })

  it('says of a folder that is not there that JOBS_DIR names it', async () => {
    const missing = loadRegistry({ jobsDir: path.join(folder, 'nowhere'), cacheDir: folder })
    await expect(missing).rejects.toThrow(/JOBS_DIR=.*nowhere/)
  })

  it('tells each wrong path of a payload, and which types there are', async () => {
    const registry = await load({ 'a.mjs': greeting('greet') })
    expect(() => registry.checkPayload('greet', { name: 'Ada' })).not.toThrow()
    expect(() => registry.checkPayload('greet', { name: 'Grace Hopper' })).toThrow(
      expect.objectContaining({
        code: 'INVALID_PAYLOAD',
        issues: [{ path: ['payload', 'name'], message: expect.stringContaining('5') }],
      }),
    )
    expect(() => registry.checkPayload('gret', {})).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_JOB_TYPE',
        issues: [{ path: ['type'], message: expect.stringContaining('greet') }],
      }),
    )
  })

  it('describes a payload as JSON Schema, with what is optional as a caller sees it', async () => {
    const { find } = await loadRegistry({ cacheDir: path.join(folder, 'cache') })
    expect(find('resize_image').payloadSchema).toMatchObject({
      type: 'object',
      required: ['width'],
      properties: { fit: { default: 'cover' }, width: { type: 'integer', maximum: 8192 } },
    })
  })
})
