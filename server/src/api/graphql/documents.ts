import type { Read } from '../../store/read.ts'

type Texts = Awaited<ReturnType<Read['documents']>>
type Document = { payload: string; result: string | null } | undefined

/** Payloads and results asked for in one turn are read in one round trip, and forgotten after it. */
export interface DocumentLoader {
  load(id: string): Promise<Document>
}

export function createDocumentLoader(read: Pick<Read, 'documents'>): DocumentLoader {
  let open: { ids: Set<string>; texts: Promise<Texts> } | null = null

  const openBatch = () => {
    const ids = new Set<string>()
    // setImmediate: resolvers of one level start in different microtasks, all before it.
    const texts = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      open = null
      return read.documents([...ids])
    })
    return { ids, texts }
  }

  return {
    async load(id) {
      open ??= openBatch()
      open.ids.add(id)
      return (await open.texts).get(id)
    },
  }
}
