// Kept in words that old versions of Node can read, because those are the ones to be told.

/** Ends the process with a clear message where this Node is too old to build or run Heddle. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const suits = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22
  if (suits) return
  process.stderr.write(
    `\nHeddle needs Node.js 20.19 or newer (of the 22 line, 22.12 or newer). This is ${process.version}.\n` +
      'Get a newer one from https://nodejs.org, or with a version manager: nvm install 22\n\n',
  )
  process.exit(1)
}
