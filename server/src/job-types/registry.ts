import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { HeddleError, toError, type Issue } from '../core/errors.ts'
import type { Backoff } from '../core/job.ts'
import { DEFAULT_BACKOFF, DEFAULT_MAX_ATTEMPTS, DEFAULT_TIMEOUT_MS } from '../core/defaults.ts'
import { compileJobType } from './compile.ts'
import type { JobType } from './job-type.ts'

const builtIns = ['add-numbers', 'reverse-string', 'resize-image', 'large-array-sum']

/** A module that awaits something for ever must not keep the server from starting. */
const IMPORT_MS = 10_000
const MAX_ISSUES = 20

export interface JobTypeInfo {
  type: string
  description: string | null
  parallel: boolean
  timeoutMs: number
  maxAttempts: number
  backoff: Backoff
  /** JSON Schema of what a caller sends */
  payloadSchema: Record<string, unknown>
  /** 'built-in', or the file it came from */
  source: string
}

export interface Registry {
  types: JobTypeInfo[]
  /** addresses of plain JavaScript modules, for the threads */
  modules: string[]
  /** modules that were left out, and why */
  broken: { file: string; error: Error }[]
  /** UNKNOWN_JOB_TYPE */
  find(type: string): JobTypeInfo
  /** UNKNOWN_JOB_TYPE, INVALID_PAYLOAD with its issues. The thread that runs the job parses what was sent anew. */
  checkPayload(type: string, payload: unknown): void
}

export interface RegistryOptions {
  /** folder of the user's own job types */
  jobsDir?: string
  /** where compiled modules are kept */
  cacheDir: string
}

interface Loaded {
  info: JobTypeInfo
  schema: z.ZodType
}

export async function loadRegistry({ jobsDir, cacheDir }: RegistryOptions): Promise<Registry> {
  const loaded = new Map<string, Loaded>()
  const modules: string[] = []
  const broken: Registry['broken'] = []

  const load = async (file: string, source: string): Promise<void> => {
    try {
      // A built server's own modules are plain JavaScript already.
      const isOwn = source === 'built-in' && file.endsWith('.js')
      const address = isOwn ? pathToFileURL(file).href : await compileJobType(file, cacheDir)
      const found = (await definitionsIn(address)).map((definition) => describe(definition, source))
      for (const { info } of found) {
        if (loaded.has(info.type)) throw new Error(`the job type "${info.type}" exists already`)
      }
      for (const each of found) loaded.set(each.info.type, each)
      modules.push(address)
    } catch (error) {
      if (source === 'built-in') throw error
      broken.push({ file, error: toError(error) })
    }
  }
  const own = import.meta.dirname
  const ending = existsSync(path.join(own, 'registry.ts')) ? '.ts' : '.js'
  for (const name of builtIns) await load(path.join(own, `${name}${ending}`), 'built-in')
  for (const file of jobsDir === undefined ? [] : await modulesIn(jobsDir)) await load(file, file)

  const known = (type: string): Loaded => {
    const found = loaded.get(type)
    if (found) return found
    throw new HeddleError('UNKNOWN_JOB_TYPE', `There is no job type "${type}"`, {
      issues: [{ path: ['type'], message: `must be one of ${[...loaded.keys()].join(', ')}` }],
    })
  }
  return {
    types: [...loaded.values()].map(({ info }) => info),
    modules,
    broken,
    find: (type) => known(type).info,
    checkPayload(type, payload) {
      const parsed = known(type).schema.safeParse(payload)
      if (parsed.success) return
      throw new HeddleError('INVALID_PAYLOAD', `The payload does not fit the job type "${type}"`, {
        issues: parsed.error.issues.slice(0, MAX_ISSUES).map(toIssue),
      })
    },
  }
}

const toIssue = (issue: z.core.$ZodIssue): Issue => ({
  path: ['payload', ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))],
  message: issue.message,
})

/** Modules right in the folder, in order of their names; types, tests and hidden files are none. */
async function modulesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch((error: unknown) => {
    throw new Error(`JOBS_DIR=${folder} cannot be read: ${toError(error).message}`, {
      cause: error,
    })
  })
  return entries
    .filter((name) => /\.[cm]?[jt]s$/.test(name) && !/^\.|\.d\.[cm]?ts$|\.test\./.test(name))
    .sort()
    .map((name) => path.join(folder, name))
}

async function definitionsIn(address: string): Promise<JobType[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`was still being imported after ${IMPORT_MS / 1000} s`)),
      IMPORT_MS,
    )
  })
  const module = (await Promise.race([import(address), late]).finally(() =>
    clearTimeout(timer),
  )) as { default?: unknown }
  const found = [module.default].flat()
  if (module.default === undefined || found.length === 0) {
    throw new Error('has no default export: it should be `export default defineJob({ … })`')
  }
  return found.map(checkDefinition)
}

/** A user's module may be plain JavaScript, which no compiler has checked. */
function checkDefinition(value: unknown): JobType {
  const definition = value as Partial<Record<keyof JobType | 'parallel' | 'run', unknown>> | null
  const type = definition?.type
  if (typeof type !== 'string' || !/^[a-z][a-z0-9_]{0,99}$/.test(type)) {
    throw new Error(`type must be snake_case, e.g. "make_report", and is ${JSON.stringify(type)}`)
  }
  if (typeof (definition?.payload as z.ZodType | undefined)?.safeParse !== 'function') {
    throw new Error(`the payload of "${type}" must be a zod schema`)
  }
  const parallel = definition?.parallel as Partial<Record<string, unknown>> | undefined
  const parts = [parallel?.split, parallel?.run, parallel?.merge]
  const isParallel = parts.every((part) => typeof part === 'function')
  if ((typeof definition?.run === 'function') === isParallel) {
    throw new Error(`"${type}" must have either run, or parallel with split, run and merge`)
  }
  return value as JobType
}

function describe(definition: JobType, source: string): Loaded {
  const schema = definition.payload
  return {
    schema,
    info: {
      type: definition.type,
      description: definition.description ?? null,
      parallel: definition.parallel !== undefined,
      timeoutMs: definition.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      maxAttempts: definition.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      backoff: definition.backoff ?? DEFAULT_BACKOFF,
      payloadSchema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
      source,
    },
  }
}
