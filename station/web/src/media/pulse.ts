const COUNT_AFTER_MS = 400

/** Whether packets of a connection still come: browsers tell a lost path only after seven seconds.
 *
 * Looked at are the sound and picture that arrive; where these rest (muted, camera off) the
 * transport's own counter decides, which reports and checks move too. */
export class Pulse {
  #newest = 0
  #heard = performance.now()
  #packets = -1
  #asking = false

  constructor(readonly pc: RTCPeerConnection) {}

  /** Milliseconds since something came, as far as is known now. */
  silence(): number {
    const newest = this.#newestPacket()
    if (newest !== this.#newest) {
      this.#newest = newest
      this.#heard = performance.now()
    }
    const silence = performance.now() - this.#heard
    if (silence > COUNT_AFTER_MS) void this.#count()
    return silence
  }

  #newestPacket(): number {
    let newest = 0
    for (const receiver of this.pc.getReceivers())
      for (const { timestamp } of receiver.getSynchronizationSources()) newest = Math.max(newest, timestamp)
    return newest
  }

  async #count(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    try {
      let packets = 0
      for (const stat of (await this.pc.getStats()).values()) {
        // Firefox counts by stream.
        if (stat.type === 'transport' || stat.type === 'inbound-rtp') packets += stat.packetsReceived ?? 0
        if (stat.type === 'candidate-pair') packets += stat.responsesReceived ?? 0
      }
      if (this.#packets >= 0 && packets !== this.#packets) this.#heard = performance.now()
      this.#packets = packets
    } catch {
      // Closed meanwhile.
    } finally {
      this.#asking = false
    }
  }
}
