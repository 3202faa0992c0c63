/** Where the string that opens at `start` is over: past its closing quotes, or at the end of its line. */
function endOfString(document: string, start: number): number {
  const block = document.startsWith('"""', start)
  const quotes = block ? '"""' : '"'
  for (let at = start + quotes.length; at < document.length; at += 1) {
    if (block && document.startsWith('\\"""', at)) at += 3
    else if (!block && document[at] === '\\') at += 1
    else if (document.startsWith(quotes, at)) return at + quotes.length
    else if (!block && document[at] === '\n') return at
  }
  return document.length
}

function endOfComment(document: string, start: number): number {
  const end = document.indexOf('\n', start)
  return end < 0 ? document.length : end
}

/**
 * How deep the brackets of a GraphQL document nest. GraphQL's parser calls itself for each level, so
 * this is asked first: a few thousand levels, which are a few kilobytes, would overflow its stack.
 * Reads each character once, whatever the document is full of.
 */
export function nestingOf(document: string): number {
  let depth = 0
  let deepest = 0
  let at = 0
  while (at < document.length) {
    const char = document.charAt(at)
    if (char === '"') at = endOfString(document, at)
    else if (char === '#') at = endOfComment(document, at)
    else {
      if ('[{('.includes(char)) deepest = Math.max(deepest, (depth += 1))
      else if (']})'.includes(char)) depth -= 1
      at += 1
    }
  }
  return deepest
}
