import { Activity, BookOpen, Braces, Cpu, History, ListTree, Plus } from 'lucide-react'
import { NavLink, Outlet } from 'react-router'
import { ConnectionBanner } from './connection-banner.tsx'
import { KeyDialog } from './key-dialog.tsx'
import { LiveDot } from './live-dot.tsx'
import { Logo } from './logo.tsx'
import { ThemeSwitch } from './theme-switch.tsx'
import './shell.css'

const pages = [
  { to: '/', label: 'Jobs', icon: ListTree },
  { to: '/history', label: 'History', icon: History },
  { to: '/cluster', label: 'Cluster', icon: Cpu },
]

const doors = [
  { href: '/graphql', label: 'GraphiQL', icon: Braces },
  { href: '/docs', label: 'REST API', icon: BookOpen },
  { href: '/metrics', label: 'Metrics', icon: Activity },
]

/** Pages that are not the dashboard's own. */
function Doors({ className }: { className: string }) {
  return (
    <nav aria-label="Other doors" className={className}>
      {doors.map(({ href, label, icon: Icon }) => (
        <a key={href} href={href} className="shell-link" target="_blank" rel="noreferrer">
          <Icon aria-hidden="true" />
          {label}
        </a>
      ))}
    </nav>
  )
}

/** What surrounds every page. */
export function Shell() {
  return (
    <div className="shell">
      <aside className="shell-side">
        <NavLink to="/" className="shell-logo" aria-label="Heddle, to the jobs">
          <Logo />
          Heddle
        </NavLink>
        <NavLink
          to="/submit"
          className="button button-primary shell-submit"
          aria-label="Submit job"
        >
          <Plus aria-hidden="true" />
          <span>Submit job</span>
        </NavLink>
        <nav aria-label="Pages">
          {pages.map(({ to, label, icon: Icon }) => (
            <NavLink key={to} to={to} end className="shell-link">
              <Icon aria-hidden="true" />
              {label}
            </NavLink>
          ))}
        </nav>
        <Doors className="shell-doors" />
        <footer className="shell-foot">
          <LiveDot />
          <ThemeSwitch />
        </footer>
      </aside>
      <main className="shell-main">
        <ConnectionBanner />
        <Outlet />
        <Doors className="shell-doors-below" />
      </main>
      <KeyDialog />
    </div>
  )
}
