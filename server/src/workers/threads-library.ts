// The one file that imports threads.js. On import it adds listeners for SIGINT and SIGTERM that end the
// process at once: they would cut a graceful shutdown short, so they are taken off again.
const signals = ['SIGINT', 'SIGTERM'] as const
const before = signals.map((signal) => new Set(process.listeners(signal)))
const { spawn, Transfer } = await import('threads')
for (const [index, signal] of signals.entries()) {
  for (const listener of process.listeners(signal)) {
    if (!before[index]?.has(listener)) process.removeListener(signal, listener)
  }
}

export { spawn, Transfer }
