import type { JSX } from 'preact'

/* Drawn for these pages on a 24 × 24 grid, lines 1.8 wide. */
const PATHS = {
  mic: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M8.5 21h7',
  micOff: 'M9 9v2a3 3 0 0 0 4.6 2.5M15 10.5V6a3 3 0 0 0-5.6-1.5M5.5 11a6.5 6.5 0 0 0 9.8 5.6M18.5 11c0 1-.2 1.9-.6 2.8M12 17.5V21M8.5 21h7M3.5 3.5l17 17',
  camera: 'M4 7h9a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM15 11l6-3.5v9L15 13',
  cameraOff: 'M8 7h5a2 2 0 0 1 2 2v4M14.5 16.5A2 2 0 0 1 13 17H4a2 2 0 0 1-2-2V9c0-.8.4-1.4 1-1.7M15 11l6-3.5v9l-3-1.7M3.5 3.5l17 17',
  swap: 'M4 9a8 8 0 0 1 14-3l2 2M20 4v4h-4M20 15a8 8 0 0 1-14 3l-2-2M4 20v-4h4',
  leave: 'M3 14c0-1 .5-2 1.5-2.6C6.6 10 9.2 9.2 12 9.2s5.4.8 7.5 2.2c1 .6 1.5 1.6 1.5 2.6v1.2c0 .7-.7 1.2-1.4 1l-3-.8c-.5-.1-.9-.5-.9-1V13a12 12 0 0 0-7.4 0v1.4c0 .5-.4.9-.9 1l-3 .8c-.7.2-1.4-.3-1.4-1z',
  record: 'M12 12m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4.5v15l12-7.5z',
  back: 'M11 6 5 12l6 6M5 12h14',
  back10: 'M5 5v5h5M5.5 10A7.5 7.5 0 1 1 5 14',
  forward10: 'M19 5v5h-5M18.5 10A7.5 7.5 0 1 0 19 14',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.4-3.6 3-5.5 6.5-5.5s6.1 1.9 6.5 5.5M16 4.5a3.3 3.3 0 0 1 0 6M18 15c2 .7 3.2 2.3 3.5 5',
  person: 'M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6',
  note: 'M6 3h9l4 4v14H6zM14.5 3v4.5H19M9 12h7M9 16h5',
  list: 'M8 6h13M8 12h13M8 18h13M3.5 6h.01M3.5 12h.01M3.5 18h.01',
  heart: 'M2.5 12h4l2-5 4 11 3-8 1.5 2h4.5',
  check: 'M4.5 12.5l5 5 10-11',
  close: 'M5.5 5.5l13 13M18.5 5.5l-13 13',
  up: 'M5 15l7-7 7 7',
  down: 'M5 9l7 7 7-7',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  minus: 'M5 12h14',
  photo: 'M4 7.5h3.5L9 5h6l1.5 2.5H20v11.5H4zM12 9.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7z',
  plus: 'M12 5v14M5 12h14',
  warn: 'M12 3.5 22 20.5H2zM12 10v4.5M12 17.5h.01',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5.5M12 7.5h.01',
  lock: 'M6 11h12v9.5H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11',
  unlock: 'M6 11h12v9.5H6zM8.5 11V7.5a3.5 3.5 0 0 1 6.8-1.2',
  copy: 'M9 9h11v12H9zM15 9V4H4v12h5',
  link: 'M10 14a4.5 4.5 0 0 0 6.5.3l3-3a4.6 4.6 0 0 0-6.5-6.5L11.5 6.3M14 10a4.5 4.5 0 0 0-6.5-.3l-3 3A4.6 4.6 0 0 0 11 19.2l1.5-1.5',
  sound: 'M4 9.5v5h3.5L13 19V5L7.5 9.5zM16 9a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11',
  soundOff: 'M4 9.5v5h3.5L13 19V5L7.5 9.5zM16.5 9.5l5 5M21.5 9.5l-5 5',
  grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  big: 'M3 4h18v11H3zM3 18.5h5M10 18.5h5M17 18.5h4',
  expand: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  sign: 'M4 20h16M5 16.5 15.5 6l2.5 2.5L7.5 19 4.5 19.5z',
  park: 'M4 4h16v16H4zM10 17V8h3a2.8 2.8 0 0 1 0 5.6h-3',
  stop: 'M6 6h12v12H6z',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7.5V12l3 2',
  shield: 'M12 3l8 3v5.5c0 5-3.4 8.3-8 9.5-4.6-1.2-8-4.5-8-9.5V6zM8.5 12l2.5 2.5 4.5-5',
  signal: 'M4 19v-3M9.3 19v-7M14.6 19V8M20 19V4',
  device: 'M3 4h18v12H3zM8 20h8M12 16v4M6 10.5h3l1.5-3 2.5 5 1.5-2H18',
  users: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.4-3.6 3-5.5 6.5-5.5 1.5 0 2.8.3 3.9 1M17 14v6M14 17h6',
  open: 'M3 7V5h6l2 2h10v12H3z',
  film: 'M3 5h18v14H3zM7.5 5v14M16.5 5v14M3 9.7h4.5M3 14.3h4.5M16.5 9.7H21M16.5 14.3H21',
  erase: 'M8 6h13v12H8l-5.5-6zM12 9.5l5 5M17 9.5l-5 5',
} as const

export type IconName = keyof typeof PATHS
const SOLID: ReadonlySet<IconName> = new Set(['record', 'play', 'leave', 'stop'])

export function Icon({ name, size = 20 }: { name: IconName; size?: number }): JSX.Element {
  const solid = SOLID.has(name)
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false"
      fill={solid ? 'currentColor' : 'none'} stroke={solid ? 'none' : 'currentColor'}
      stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">
      <path d={PATHS[name]} />
    </svg>
  )
}

export function Logo({ size = 32 }: { size?: number }): JSX.Element {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="currentColor" />
      <path d="M3 22h5l2.2-5 3 9 4-18 3.6 14H29" fill="none" stroke="#fff" stroke-width="2.4"
        stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  )
}
