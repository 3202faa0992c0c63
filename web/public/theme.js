// Runs before the first paint, so that a dark page does not flash white.
;(() => {
  let chosen = null
  try {
    chosen = localStorage.getItem('heddle.theme')
  } catch {
    // Storage is closed to us: the system's choice stands.
  }
  const dark = matchMedia('(prefers-color-scheme: dark)').matches
  document.documentElement.dataset.theme = chosen ?? (dark ? 'dark' : 'light')
})()
