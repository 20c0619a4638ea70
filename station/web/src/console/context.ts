import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Console } from './client'

export const ConsoleContext = createContext<Console | null>(null)

export function useConsole(): Console {
  const client = useContext(ConsoleContext)
  if (!client) throw new Error('outside of the console')
  return client
}
