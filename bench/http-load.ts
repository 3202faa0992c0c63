/**
 * The load of bench/http.ts, in a process of its own: keep-alive connections with one request under way on
 * each, written and read by hand. `fetch` takes longer for a request than the server does for its answer, so
 * that it would be the thing measured.
 */
import { connect } from 'node:net'
import { toError } from '../server/src/core/errors.ts'

/** What the parent asks for. */
export interface Load {
  port: number
  path: string
  /** the JSON body of every request */
  body: string
  connections: number
  ms: number
}

/** What it is told: answers within the time, and how long each took, in ms. */
export interface Loaded {
  answers: number
  /** answers by their status */
  statuses: Record<string, number>
  /** connections that were closed or refused before the end */
  lost: number
  seconds: number
  p50: number
  p99: number
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')

/** Status and whole length of the answer that `bytes` begin with; null while its head is not all there. */
function readHead(bytes: Buffer): { status: string; length: number } | null {
  const end = bytes.indexOf(END_OF_HEAD)
  if (end < 0) return null
  const head = bytes.toString('latin1', 0, end)
  const length = /content-length: (\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`an answer does not tell its length:\n${head}`)
  return { status: head.slice(9, 12), length: end + END_OF_HEAD.length + Number(length) }
}

async function load({ port, path, body, connections, ms }: Load): Promise<Loaded> {
  const request = Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  const took: number[] = []
  const statuses: Record<string, number> = {}
  const startedAt = performance.now()
  const endsAt = startedAt + ms
  let lost = 0

  const lane = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      let waiting = Buffer.alloc(0)
      let sentAt = 0
      const send = (): void => {
        sentAt = performance.now()
        socket.write(request)
      }
      const onAnswer = (status: string): void => {
        const now = performance.now()
        statuses[status] = (statuses[status] ?? 0) + 1
        took.push(now - sentAt)
        if (now < endsAt) send()
        else socket.destroy()
      }
      socket.on('connect', send)
      socket.on('data', (chunk) => {
        const bytes = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk])
        try {
          const head = readHead(bytes)
          if (!head || bytes.length < head.length) waiting = bytes
          else {
            waiting = Buffer.alloc(0)
            onAnswer(head.status)
          }
        } catch (error) {
          reject(toError(error))
        }
      })
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        if (performance.now() < endsAt) lost += 1
        resolve()
      })
    })

  await Promise.all(Array.from({ length: connections }, lane))
  const seconds = (performance.now() - startedAt) / 1000
  took.sort((a, b) => a - b)
  const at = (q: number): number => took[Math.floor(took.length * q)] ?? 0
  return { answers: took.length, statuses, lost, seconds, p50: at(0.5), p99: at(0.99) }
}

process.on('message', (asked: Load) => {
  load(asked).then(
    (loaded) => process.send?.(loaded),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit(0))
