import { existsSync } from 'node:fs'
import module from 'node:module'
import type { App } from './app.ts'
import { ConfigError, readConfig, type Config } from './config.ts'
import { toError } from './core/errors.ts'
import { log } from './log.ts'
import { onStopSignals } from './signals.ts'
import { keepFreedMemory } from './workers/freed-memory.ts'

// From Node 22 on, what V8 compiles is kept on disk for the next start: of modules that are loaded from here on.
;(module as { enableCompileCache?: () => unknown }).enableCompileCache?.()

keepFreedMemory()

// Values that are set already win over the file's, as everywhere.
if (existsSync('.env')) process.loadEnvFile('.env')

const say = (text: string): void => void process.stdout.write(`${text}\n`)

function fail(error: unknown): never {
  const { message } = toError(error)
  process.stderr.write(`\nHeddle cannot start.\n${message.replace(/^/gm, '  ')}\n\n`)
  if (!(error instanceof ConfigError)) log.debug({ error }, 'start-up failed')
  process.exit(1)
}

function welcome(app: App, config: Config): void {
  const { host, port } = app.address
  const shown =
    host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const url = `http://${shown}:${port}`
  const workers = config.workers
    .map(({ name, threads }) => `${name} (${threads} threads)`)
    .join(', ')
  say('')
  say('  Heddle is ready')
  say('')
  say(`  Dashboard   ${url}`)
  say(`  GraphQL     ${url}/graphql   (open it in a browser for GraphiQL)`)
  say(`  REST        ${url}/jobs      (described at ${url}/docs)`)
  say(`  Workers     ${workers || 'none: this node only answers people'}`)
  say(`  Database    ${app.databaseDescription}`)
  say(
    `  Events      ${config.redisUrl ? 'Redis' : 'in this process (set REDIS_URL to share them between nodes)'}`,
  )
  say(`  Access      ${config.apiKeys ? 'API keys' : 'open to whoever can reach it'}`)
  if (!config.databaseUrl) {
    say('')
    say(
      '  The embedded database survives a crash of this process, but not a power cut, and serves one node.',
    )
    say('  For production set DATABASE_URL to a PostgreSQL server.')
  }
  for (const { file, error } of app.brokenJobTypes) {
    say('')
    say(`  Job types of ${file} are left out: ${error.message}`)
  }
  say('')
}

try {
  const config = readConfig(process.env)
  log.level = config.logLevel
  const { startApp } = await import('./app.ts')
  const app = await startApp(config)
  onStopSignals(app)
  welcome(app, config)
} catch (error) {
  fail(error)
}
