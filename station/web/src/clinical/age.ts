export type AgeUnit = 'now' | 'seconds' | 'minutes' | 'hours' | 'days'
export interface Age { unit: AgeUnit; count: number }

/** How long ago, in the unit a person would say. A time ahead of the clock counts as now. */
export function age(ms: number): Age {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 2) return { unit: 'now', count: 0 }
  if (seconds < 60) return { unit: 'seconds', count: seconds }
  if (seconds < 3600) return { unit: 'minutes', count: Math.floor(seconds / 60) }
  if (seconds < 86_400) return { unit: 'hours', count: Math.floor(seconds / 3600) }
  return { unit: 'days', count: Math.floor(seconds / 86_400) }
}

/** 65 s → "1:05", 3 725 s → "1:02:05". */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
