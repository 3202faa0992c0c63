const MS_PER_S = 1000
const MS_PER_MIN = 60_000
const MS_PER_H = 3_600_000
const MS_PER_DAY = 86_400_000

/** Three figures at most: '0.42 ms', '18 ms', '3.1 s', '4 min 05 s', '2 h 10 min', '3 d 4 h'. */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–'
  // Each limit lies where rounding would add a figure.
  if (ms < 0.995) return `${ms.toFixed(2)} ms`
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9_950) return `${(ms / MS_PER_S).toFixed(1)} s`
  const wholeMs = Math.round(ms / MS_PER_S) * MS_PER_S
  if (wholeMs < MS_PER_MIN) return `${wholeMs / MS_PER_S} s`
  const parts = (largeMs: number, smallMs: number): [number, number] => [
    Math.floor(wholeMs / largeMs),
    Math.floor((wholeMs % largeMs) / smallMs),
  ]
  if (wholeMs < MS_PER_H) {
    const [minutes, seconds] = parts(MS_PER_MIN, MS_PER_S)
    return `${minutes} min ${String(seconds).padStart(2, '0')} s`
  }
  if (wholeMs < MS_PER_DAY) {
    const [hours, minutes] = parts(MS_PER_H, MS_PER_MIN)
    return `${hours} h ${String(minutes).padStart(2, '0')} min`
  }
  const [days, hours] = parts(MS_PER_DAY, MS_PER_H)
  return `${days} d ${hours} h`
}

export const formatCount = (count: number): string => count.toLocaleString('en-US')

/** '14:03:07', and before it the day when that is not today, with the year when it is another. */
export function formatMoment(iso: string | null | undefined, now = new Date()): string {
  if (!iso) return '–'
  const moment = new Date(iso)
  const time = moment.toLocaleTimeString('en-GB')
  if (moment.toDateString() === now.toDateString()) return time
  const year = moment.getFullYear() === now.getFullYear() ? undefined : 'numeric'
  return `${moment.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year })} ${time}`
}

/** 'large_array_sum' → 'Large array sum' */
export const formatType = (type: string): string => {
  const words = type.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
