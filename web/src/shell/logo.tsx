/** Warp threads and a weft between them, as a heddle holds them. */
export function Logo() {
  return (
    <svg viewBox="0 0 32 32" className="logo" aria-hidden="true">
      <path d="M9 4v24M16 4v24M23 4v24" className="logo-warp" />
      <path d="M4 12h2.5M11.5 12h9M25.5 12H28M4 20h9.5M18.5 20H28" className="logo-weft" />
    </svg>
  )
}
