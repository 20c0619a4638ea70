import { fromBase64, sha256 } from '../bytes'
import type { CaseFile } from '../calls/protocol'
import type { Waiting } from './client'

/** Stills and clips of cases: fetched a piece at a time, compared with their SHA-256, kept in memory
 * while the page is open. */
export class CaseFiles {
  #files = new Map<string, Promise<Blob>>()

  get(waiting: Waiting, file: CaseFile): Promise<Blob> {
    const known = this.#files.get(file.id)
    if (known) return known
    const fetching = fetchFile(waiting, file)
    this.#files.set(file.id, fetching)
    // What failed may be asked for again.
    fetching.catch(() => this.#files.delete(file.id))
    return fetching
  }

  clear(): void {
    this.#files.clear()
  }
}

async function fetchFile({ call, station }: Waiting, file: CaseFile): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  let from = 0
  while (from < file.size) {
    const answer = await station.ask('case.want', call, { file: file.id, from })
    const part = fromBase64(String(answer['data']))
    if (part.length === 0 || answer['size'] !== file.size) throw new Error('size')
    parts.push(part)
    from += part.length
  }
  const blob = new Blob(parts, { type: file.mime })
  if (await sha256(await blob.arrayBuffer()) !== file.sha256) throw new Error('sha256')
  return blob
}
