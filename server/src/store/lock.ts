import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, realpathSync, unlinkSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreOpenError } from './open-error.ts'

/** Longest path of a unix socket that every system takes, with room to spare. */
const MAX_SOCKET_PATH = 100
/** Longer than another process needs from finding a dead socket to removing it. */
const SETTLE_MS = 100
/** A process that is stopped or busy still holds its lock. */
const ANSWER_MS = 500
const MAX_TRIES = 5

/**
 * One process at a time may have a PGlite data folder open: PGlite takes no lock itself, and a second
 * process destroys the folder. Node has no flock(), so a listening unix socket (a named pipe on Windows)
 * is the lock: the kernel lets go of it however the process dies. Throws StoreOpenError.
 */
export async function lockFolder(folder: string): Promise<() => void> {
  const real = makeFolder(folder)
  const address = socketAddress(real)
  const token = randomUUID()
  let removedDead = false
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const server = await listen(address, token, real)
    if (server) {
      server.unref()
      // Somebody who found the same dead socket may just have removed ours: then we are not heard.
      if (removedDead) await sleep(SETTLE_MS)
      if (!removedDead || (await holderOf(address)) === token) return () => void server.close()
      server.close()
      continue
    }
    if ((await holderOf(address)) !== null) {
      throw new StoreOpenError(
        `The data folder ${real} is in use by another process. Stop that one, set DATA_DIR to ` +
          'another folder, or set DATABASE_URL to a PostgreSQL server, which any number of nodes can share.',
      )
    }
    removeSocket(address)
    removedDead = true
  }
  throw new StoreOpenError(
    `The data folder ${real} could not be locked: several processes are starting on it`,
  )
}

/** Not by `rmSync`: in Node 20, while modules are being imported, it has the loader take symbolic links for folders. */
function removeSocket(address: string): void {
  try {
    unlinkSync(address)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function makeFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true })
    return realpathSync(folder)
  } catch (error) {
    throw notWritable(folder, error)
  }
}

const notWritable = (folder: string, error: unknown): StoreOpenError =>
  new StoreOpenError(
    `The data folder ${folder} cannot be written (${String((error as NodeJS.ErrnoException).code)}). ` +
      'Set DATA_DIR to a folder this user can write, or DATABASE_URL to a PostgreSQL server.',
    { cause: error },
  )

function socketAddress(folder: string): string {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 32)
  if (process.platform === 'win32') return `\\\\.\\pipe\\heddle-${hash}`
  const inside = path.join(folder, '.lock')
  return inside.length <= MAX_SOCKET_PATH ? inside : path.join(tmpdir(), `heddle-${hash}.lock`)
}

/** null: the address is taken */
function listen(address: string, token: string, folder: string): Promise<net.Server | null> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {})
      socket.end(token)
    })
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null)
      else reject(notWritable(folder, error))
    })
    server.listen(address, () => resolve(server))
  })
}

/** The token of the process that listens, empty where it is too busy to say; null where nobody listens. */
function holderOf(address: string): Promise<string | null> {
  return new Promise((resolve) => {
    let token = ''
    const socket = net.connect(address)
    const answer = (holder: string | null): void => {
      socket.destroy()
      resolve(holder)
    }
    socket.setTimeout(ANSWER_MS, () => answer(token))
    socket.setEncoding('utf8').on('data', (text: string) => (token += text))
    socket.once('error', () => answer(null))
    socket.once('end', () => answer(token))
  })
}
