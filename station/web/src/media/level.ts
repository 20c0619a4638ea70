let context: AudioContext | null = null

/** Calls `show` about ten times a second with the loudness of a track, 0 to 1, until stopped. */
export function watchLevel(track: MediaStreamTrack, show: (level: number) => void): () => void {
  context ??= new AudioContext()
  void context.resume().catch(() => {})
  const source = context.createMediaStreamSource(new MediaStream([track]))
  const analyser = context.createAnalyser()
  analyser.fftSize = 512
  source.connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    let sum = 0
    for (const sample of samples) sum += sample * sample
    show(loudness(Math.sqrt(sum / samples.length)))
  }, 100)
  return () => {
    clearInterval(timer)
    source.disconnect()
  }
}

/** Root mean square to a bar: -60 dB is empty, -10 dB is full. */
export function loudness(rms: number): number {
  if (rms <= 0) return 0
  const decibel = 20 * Math.log10(rms)
  return Math.min(1, Math.max(0, (decibel + 60) / 50))
}
