/** As long as a slow viewer may need to take the bytes over. */
const KEEP_MS = 60_000

/** Gives a person a file to keep. */
export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), KEEP_MS)
}
