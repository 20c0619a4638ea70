import { Cell } from '../observable'

export type OwnState = 'off' | 'asking' | 'on' | 'denied' | 'missing' | 'busy'

export interface DeviceChoice { id: string; label: string }

/** One own device, the microphone or the camera: asked for, on, off, with the reason when it is not there. */
export class OwnDevice {
  readonly state = new Cell<OwnState>('off')
  readonly track = new Cell<MediaStreamTrack | null>(null)
  #generation = 0
  /** What the person wants, whether or not the device is there. */
  readonly wanted = new Cell(false)
  deviceId: string | null = null
  facing: 'user' | 'environment' | null = null

  constructor(readonly kind: 'audio' | 'video') {}

  /** Turns it on; asks the person if the browser wants that. */
  async on(): Promise<boolean> {
    const generation = ++this.#generation
    this.wanted.set(true)
    if (this.track.get()?.readyState === 'live') {
      this.state.set('on')
      return true
    }
    this.state.set('asking')
    try {
      const stream = await navigator.mediaDevices.getUserMedia(this.#constraints())
      const track = stream.getTracks()[0] ?? null
      if (generation !== this.#generation) {
        track?.stop()
        return false
      }
      track?.addEventListener('ended', () => {
        if (this.track.get() === track) {
          this.track.set(null)
          this.state.set('missing')
        }
      })
      if (track?.kind === 'video') track.contentHint = 'motion'
      this.track.set(track)
      this.state.set(track ? 'on' : 'missing')
      return track !== null
    } catch (error) {
      if (generation === this.#generation) this.state.set(reason(error))
      return false
    }
  }

  /** Stops the device: its light goes out. */
  off(): void {
    this.wanted.set(false)
    this.#stop()
  }

  #stop(): void {
    this.#generation++
    this.track.get()?.stop()
    this.track.set(null)
    if (this.state.get() === 'on' || this.state.get() === 'asking') this.state.set('off')
  }

  /** Another device of the kind; kept on if it was on. */
  async choose(deviceId: string | null, facing: 'user' | 'environment' | null = null): Promise<void> {
    const was = this.state.get() === 'on'
    this.deviceId = deviceId
    this.facing = facing
    this.#stop()
    if (was) await this.on()
  }

  #constraints(): MediaStreamConstraints {
    const device = this.deviceId ? { deviceId: { exact: this.deviceId } } : {}
    if (this.kind === 'audio')
      return {
        audio: { ...device, echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
      }
    const facing = this.facing ? { facingMode: { ideal: this.facing } } : {}
    return {
      video: {
        ...device, ...facing, width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 20, max: 30 },
      },
    }
  }
}

function reason(error: unknown): OwnState {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy'
  return 'missing'
}

/** Cameras or microphones of this browser. Names are empty until one has been allowed. */
export async function listDevices(kind: 'audio' | 'video'): Promise<DeviceChoice[]> {
  if (!navigator.mediaDevices) return []
  const wanted = kind === 'audio' ? 'audioinput' : 'videoinput'
  const all = await navigator.mediaDevices.enumerateDevices().catch(() => [])
  return all
    .filter((device) => device.kind === wanted && device.deviceId)
    .map((device) => ({ id: device.deviceId, label: device.label }))
}

/** True when asking would not bother anybody: it was allowed before. */
export async function alreadyAllowed(kind: 'audio' | 'video'): Promise<boolean> {
  try {
    const name = (kind === 'audio' ? 'microphone' : 'camera') as PermissionName
    return (await navigator.permissions.query({ name })).state === 'granted'
  } catch {
    // Firefox has no such query: device names are visible only after permission.
    return (await listDevices(kind)).some((device) => device.label !== '')
  }
}
