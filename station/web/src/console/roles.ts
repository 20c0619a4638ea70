import { useCell } from '../observable'
import type { User } from '../protocol'
import { useConsole } from './context'

/** What a page shows of what a role may do; the station decides at each message (docs/protocol.md, Roles). */
export type Duty = 'doctor' | 'helper' | 'administrator'

export function dutyOf(user: User | null): Duty {
  if (user?.role === 'administrator') return 'administrator'
  return user?.role === 'doctor' ? 'doctor' : 'helper'
}

export function useDuty(): Duty {
  return dutyOf(useCell(useConsole().user))
}
