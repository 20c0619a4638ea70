/** Two notes, loud enough to be missed by nobody whose loudspeaker works. Resolves when they are over. */
export async function playTone(): Promise<void> {
  const context = new AudioContext()
  await context.resume()
  const gain = context.createGain()
  gain.connect(context.destination)
  for (const [i, hertz] of [523, 784, 523].entries()) {
    const note = context.createOscillator()
    note.frequency.value = hertz
    note.connect(gain)
    note.start(context.currentTime + i * 0.45)
    note.stop(context.currentTime + i * 0.45 + 0.4)
    gain.gain.setValueAtTime(0.0001, context.currentTime + i * 0.45)
    gain.gain.exponentialRampToValueAtTime(0.5, context.currentTime + i * 0.45 + 0.04)
    gain.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + i * 0.45 + 0.38)
  }
  await new Promise((done) => setTimeout(done, 1500))
  await context.close()
}
