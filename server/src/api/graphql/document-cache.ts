/**
 * Parsed queries by their text. Programs send the same few short ones again and again; a query with its
 * data written into it comes once, is long, and must not stay in memory.
 */
export function createDocumentCache<Document>(maxEntries = 500, maxLength = 8000) {
  const entries = new Map<string, Document>()
  return {
    get: (query: string): Document | undefined => entries.get(query),
    set(query: string, document: Document): void {
      if (query.length > maxLength) return
      if (entries.size >= maxEntries) {
        const [oldest] = entries.keys()
        if (oldest !== undefined) entries.delete(oldest)
      }
      entries.set(query, document)
    },
  }
}
