/**
 * Bounds what a node holds for requests that it has not answered yet. A burst waits in the sockets of those
 * who are let in; the rest hears at once that it should come again, before its body is read.
 */
import type { EventEmitter } from 'node:events'

export interface AdmissionOptions {
  /** requests under way, streams of events among them */
  maxRequests: number
  /** bytes of their bodies together, as far as they tell their length; one request alone may have more */
  maxBytes: number
}

/** False where the request must come again later. `answer` frees its place when it emits `close`. */
export type Admit = (answer: EventEmitter, contentLength: string | undefined) => boolean

export function createAdmission({ maxRequests, maxBytes }: AdmissionOptions): Admit {
  let requests = 0
  let bytes = 0
  return (answer, contentLength) => {
    const length = Number(contentLength ?? 0)
    const full = requests >= maxRequests || (bytes > 0 && bytes + length > maxBytes)
    if (full) return false
    requests += 1
    bytes += length
    answer.once('close', () => {
      requests -= 1
      bytes -= length
    })
    return true
  }
}
