/** Which bytes of a file have come: stretches [from, to), in order and apart from each other. */
export class Parts {
  #have: [number, number][] = []

  /** Bytes that are new. */
  add(from: number, to: number): number {
    if (!(from < to)) return 0
    const before = this.bytes
    const apart: [number, number][] = []
    let merged: [number, number] = [from, to]
    for (const part of this.#have) {
      if (part[1] < merged[0] || part[0] > merged[1]) apart.push(part)
      else merged = [Math.min(part[0], merged[0]), Math.max(part[1], merged[1])]
    }
    this.#have = [...apart, merged].sort((a, b) => a[0] - b[0])
    return this.bytes - before
  }

  get bytes(): number {
    return this.#have.reduce((sum, [from, to]) => sum + to - from, 0)
  }

  /** What is missing of a file of that size; the first `most` stretches of it. */
  missing(size: number, most: number): [number, number][] {
    const gaps: [number, number][] = []
    let at = 0
    for (const [from, to] of this.#have) {
      if (from > at) gaps.push([at, Math.min(from, size)])
      at = Math.max(at, to)
    }
    if (at < size) gaps.push([at, size])
    return gaps.slice(0, most)
  }
}
