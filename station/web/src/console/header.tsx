import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useCell } from '../observable'
import { t, word } from '../text'
import { Icon, Logo } from '../ui/icons'
import { LanguageSwitch, Pill } from '../ui/parts'
import { useConsole } from './context'
import { initials } from './signin'

/** The bar at the top of every console page. */
export function Header(props: { children?: ComponentChildren; onSwitch: (user: string | null) => void }): JSX.Element {
  const client = useConsole()
  const link = useCell(client.socket.state)
  return (
    <header class="top">
      <Logo size={34} />
      <div class="top-middle">{props.children}</div>
      {link !== 'open' && <Pill look="bad" icon="warn" testid="link-lost">{t('link.lost.short')}</Pill>}
      <UserMenu onSwitch={props.onSwitch} />
    </header>
  )
}

function UserMenu({ onSwitch }: { onSwitch: (user: string | null) => void }): JSX.Element {
  const client = useConsole()
  const user = useCell(client.user)
  const users = useCell(client.hello)?.users ?? []
  const [open, setOpen] = useState(false)
  const menu = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return
    const away = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !menu.current?.contains(event.target as Node))
        setOpen(false)
    }
    addEventListener('pointerdown', away)
    addEventListener('keydown', away)
    return () => {
      removeEventListener('pointerdown', away)
      removeEventListener('keydown', away)
    }
  }, [open])
  return (
    <div class="user-menu" ref={menu}>
      <button type="button" class="user-button" aria-haspopup="true" aria-expanded={open}
        data-testid="user-menu" onClick={() => setOpen(!open)}>
        <span class="avatar small" aria-hidden="true">{initials(user?.name ?? '')}</span>
        <span class="user-name" data-testid="user-name">{user?.name}</span>
      </button>
      {open && (
        <div class="menu" data-testid="user-menu-list">
          <p class="menu-title">{t('user.switch')}</p>
          {users.filter(({ id }) => id !== user?.id).map(({ id, name, role }) => (
            <button type="button" key={id} data-testid={`switch-${id}`} onClick={() => onSwitch(id)}>
              <span class="avatar small" aria-hidden="true">{initials(name)}</span>
              <span>{name}<small>{word('role', role)}</small></span>
            </button>
          ))}
          <button type="button" data-testid="sign-out" onClick={() => onSwitch(null)}>
            <Icon name="lock" />
            <span>{t('user.sign-out')}</span>
          </button>
          <LanguageSwitch />
        </div>
      )}
    </div>
  )
}
