import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { buildSchema, parse, validate } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type RestJob, type TestApp } from './app.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')
const readme = read('README.md')

/** The README's blocks in this language, in order. */
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text]) => text ?? '',
  )

const onlyBlock = (language: string, part: string): string => {
  const found = blocks(language).filter((text) => text.includes(part))
  expect(found, `blocks with ${part}`).toHaveLength(1)
  return found[0] ?? ''
}

describe('the README', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'heddle-readme-'))
  let app: TestApp

  beforeAll(async () => {
    const module = onlyBlock('ts', 'defineJob')
    const file = /^\/\/ (\S+)/.exec(module)?.[1] ?? ''
    mkdirSync(path.join(folder, path.dirname(file)))
    writeFileSync(path.join(folder, file), module)
    app = await startTestApp({
      JOBS_DIR: path.join(folder, path.dirname(file)),
      WORKER_1_THREADS: '4',
      WORKER_2_THREADS: '8',
    })
  })
  afterAll(async () => {
    await app.close()
    rmSync(folder, { recursive: true })
  })

  /** Runs a block as pasted, on the port that this app got. */
  const paste = async (block: string): Promise<string> => {
    const script = block.replaceAll('http://localhost:8080', app.url)
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script])
    return stdout
  }
  const submitted = (answer: string): string => (JSON.parse(answer) as RestJob).id

  it('submits a job that gives 55, and finds it by its id and in history', async () => {
    const id = submitted(await paste(onlyBlock('sh', '"Sum large array"')))
    expect(await app.ended(id)).toMatchObject({ state: 'COMPLETED', result: 55, width: 4 })

    const byId = onlyBlock('sh', '/jobs/{id}').replace('{id}', id)
    expect(JSON.parse(await paste(byId))).toMatchObject({ id, result: 55 })

    const lists = await paste(onlyBlock('sh', '/db/jobs'))
    expect(lists).toContain(id)
    expect(lists).toContain('"total_time_ms"')
  })

  it('submits the same job by GraphQL', async () => {
    const { data } = JSON.parse(await paste(onlyBlock('sh', '/graphql'))) as {
      data: { submitJob: { id: string; state: string } }
    }
    expect(data.submitJob.state).toBe('QUEUED')
    expect(await app.ended(data.submitJob.id)).toMatchObject({ result: 55 })
  })

  it('adds a job type of its own', async () => {
    expect(app.app.brokenJobTypes).toEqual([])
    const id = submitted(await paste(onlyBlock('sh', '"count_words"')))
    expect(await app.ended(id)).toMatchObject({ state: 'COMPLETED', result: 4 })
  })

  it('has GraphQL that fits the schema, and that runs', async () => {
    const schema = buildSchema(read('server/schema.graphql'))
    const documents = blocks('graphql')
    expect(documents.length).toBeGreaterThan(2)
    for (const text of documents) {
      expect(validate(schema, parse(text))).toEqual([])
      if (!text.startsWith('subscription')) await app.graphql(text)
    }
  })

  it('names every variable of the configuration, and no other', () => {
    const source = /const Variables = z\.object\(\{(.*?)\n\}\)/s.exec(read('server/src/config.ts'))
    const known = [...(source?.[1] ?? '').matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name]) => name)
    const table = /\n\| variable(.*?)\n\n/s.exec(readme)?.[1] ?? ''
    const named = table
      .split('\n')
      .slice(2)
      .flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([A-Z_]+)`/g)])
      .map(([, name]) => name)
    expect(known.length).toBeGreaterThan(20)
    expect(named.toSorted()).toEqual(known.toSorted())
  })

  it('links only to files that are there', () => {
    const links = [...readme.matchAll(/(?:\]\(|srcset="|src=")(?!https?:)([^)"#]+)/g)]
    expect(links.length).toBeGreaterThan(5)
    const missing = links
      .map(([, file]) => file ?? '')
      .filter((file) => !existsSync(path.join(ROOT, file)))
    expect(missing).toEqual([])
  })
})
