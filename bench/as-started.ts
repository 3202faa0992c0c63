/** Runs what imports this anew with Node's flags of `npm start`, where it was started without them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { START_FLAGS } from './built-server.ts'

if (!START_FLAGS.every((flag) => process.execArgv.includes(flag))) {
  const args = [...START_FLAGS, ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exit(code ?? 1)
}
