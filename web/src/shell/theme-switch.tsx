import { Moon, Sun } from 'lucide-react'
import { useState } from 'react'

const isDark = (): boolean => document.documentElement.dataset.theme === 'dark'

export function ThemeSwitch() {
  const [dark, setDark] = useState(isDark)
  const toggle = (): void => {
    const theme = dark ? 'light' : 'dark'
    document.documentElement.dataset.theme = theme
    localStorage.setItem('heddle.theme', theme)
    setDark(!dark)
  }
  const Icon = dark ? Sun : Moon
  return (
    <button
      type="button"
      className="icon-button"
      onClick={toggle}
      aria-label={dark ? 'Light theme' : 'Dark theme'}
    >
      <Icon aria-hidden="true" />
    </button>
  )
}
