#!/usr/bin/env node
// A stand-in for prisma's native `schema-engine`, which is otherwise downloaded. The prisma CLI speaks
// JSON-RPC with it, one message a line on stdin and stdout, and `cli <command>` by exit code. The answers
// come from @prisma/schema-engine-wasm, the same engine, over @prisma/adapter-pg.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import readline from 'node:readline'
import { pathToFileURL } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'

const args = process.argv.slice(2)
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
const url = new URL(JSON.parse(option('--datasource') ?? '{}').url ?? process.env.DATABASE_URL)
const database = decodeURIComponent(url.pathname.slice(1))
const quoted = (name) => `"${name.replaceAll('"', '""')}"`

function connection() {
  const sslmode = url.searchParams.get('sslmode') ?? ''
  return {
    host: url.searchParams.get('host') ?? url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database,
    ...(/^(require|verify|no-verify)/.test(sslmode)
      ? { ssl: { rejectUnauthorized: sslmode.startsWith('verify') } }
      : {}),
  }
}

/** Two faults of adapter-pg 7.10 that an application never meets. */
function mended(adapter) {
  const query = adapter.client.query.bind(adapter.client)
  // It cannot read the catalog's "char" columns (type 18), which introspection needs: they are told as text.
  adapter.client.query = async (...parameters) => {
    const result = await query(...parameters)
    for (const field of result?.fields ?? []) if (field.dataTypeID === 18) field.dataTypeID = 1043
    return result
  }
  // It cuts scripts at every semicolon, those inside functions and comments too. The server knows better.
  adapter.executeScript = async (script) => void (await query(script))
  return adapter
}

function adapterFactory() {
  const schema = url.searchParams.get('schema') ?? undefined
  const inner = new PrismaPg(connection(), schema ? { schema } : undefined)
  return {
    provider: inner.provider,
    adapterName: inner.adapterName,
    connect: async () => mended(await inner.connect()),
    // adapter-pg's own connectToShadowDb() drops the database before it closes its pool, which Postgres refuses.
    async connectToShadowDb() {
      const admin = await inner.connect()
      const name = `prisma_migrate_shadow_db_${crypto.randomUUID()}`
      await admin.executeScript(`CREATE DATABASE ${quoted(name)}`)
      const shadow = mended(await new PrismaPg({ ...connection(), database: name }).connect())
      const dispose = shadow.dispose.bind(shadow)
      shadow.dispose = async () => {
        await dispose()
        await admin.executeScript(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`)
        await admin.dispose()
      }
      return shadow
    },
  }
}

async function loadWasm() {
  const moduleUrl = import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const glue = await import(moduleUrl)
  const bytes = fs.readFileSync(new URL('schema_engine_bg.wasm', moduleUrl))
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return glue
}

/** The exit codes and error lines that the CLI expects of `schema-engine cli <command>`. */
async function runCommand(command) {
  const pg = await import(
    pathToFileURL(createRequire(import.meta.resolve('@prisma/adapter-pg')).resolve('pg')).href
  )
  const client = new pg.default.Client({
    ...connection(),
    ...(command === 'can-connect-to-database' ? {} : { database: 'postgres' }),
    connectionTimeoutMillis: 5000,
  })
  try {
    await client.connect()
    if (command === 'create-database') await client.query(`CREATE DATABASE ${quoted(database)}`)
    if (command === 'drop-database') {
      await client.query(`DROP DATABASE IF EXISTS ${quoted(database)} WITH (FORCE)`)
    }
    return 0
  } catch (error) {
    const code = { '3D000': 'P1003', '42P04': 'P1009', '28P01': 'P1000' }[error.code] ?? 'P1001'
    const message =
      code === 'P1003'
        ? `Database \`${database}\` does not exist`
        : `Can't use database \`${database}\` at \`${url.host}\`: ${error.message}`
    const meta = { database_name: database, database_location: url.host }
    const fields = { error_code: code, message, is_panic: false, meta }
    const timestamp = new Date().toISOString()
    process.stderr.write(
      `${JSON.stringify({ timestamp, level: 'ERROR', fields, target: 'schema_engine::logger' })}\n`,
    )
    return 1
  } finally {
    await client.end().catch(() => {})
  }
}

if (args.includes('cli')) process.exit(await runCommand(option('cli')))

/** Schema files follow the flag, as many as there are. */
function schemaFiles() {
  const files = []
  let reading = false
  for (const arg of args) {
    if (arg.startsWith('-')) reading = ['--datamodels', '--datamodel', '-d'].includes(arg)
    else if (reading) files.push([arg, fs.readFileSync(arg, 'utf8')])
  }
  return files.length > 0 ? files : undefined
}

const glue = await loadWasm()
const factory = bindMigrationAwareSqlAdapterFactory(adapterFactory())
const newEngine = (adapters) =>
  glue.SchemaEngine.new({ datamodels: schemaFiles() }, () => {}, adapters)
let sharedEngine
const engine = () => (sharedEngine ??= newEngine(factory))
const send = (message) =>
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

/** The wasm build replays migrations on its main connection: it gets one whose main database is a throw-away. */
async function diff(params) {
  if (![params.from, params.to].some(({ tag }) => tag === 'migrations')) {
    return (await engine()).diff(params)
  }
  const opened = await factory.connectToShadowDb()
  if (!opened.ok) throw new Error(JSON.stringify(opened.error))
  const shadow = async () => opened
  try {
    const replaying = await newEngine({ ...factory, connect: shadow, connectToShadowDb: shadow })
    return await replaying.diff(params)
  } finally {
    await opened.value.dispose()
  }
}

async function answer(method, params) {
  switch (method) {
    case 'diff': {
      const result = await diff(params)
      if (result.stdout != null) {
        send({ id: 0, method: 'print', params: { content: result.stdout } })
      }
      return result
    }
    case 'getDatabaseVersion':
      return (await engine()).version(params)
    case 'createDatabase':
      if ((await runCommand('create-database')) !== 0) throw new Error('cannot create the database')
      return { databaseName: database }
    default: {
      const target = await engine()
      if (typeof target[method] !== 'function') throw new Error(`unknown method ${method}`)
      return (await target[method](params)) ?? {}
    }
  }
}

async function handle({ id, method, params }) {
  try {
    send({ id, result: await answer(method, params ?? {}) })
  } catch (error) {
    const code = error?.code ?? error?.error_code
    const known = typeof code === 'string' && /^P\d+/.test(code)
    const data = {
      is_panic: false,
      message: String(error?.message ?? error),
      meta: error?.meta ?? null,
      ...(known ? { error_code: code } : {}),
    }
    const message = 'An error happened. Check the data field for details.'
    send({ id, error: { code: 4466, message, data } })
  }
}

// One at a time, in order; answers to our own `print` messages carry no method and are passed over.
let last = Promise.resolve()
const lines = readline.createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const message = line.trim() ? JSON.parse(line) : {}
  if (message.method) last = last.then(() => handle(message))
})
lines.on('close', () => void last.then(() => process.exit(0)))
