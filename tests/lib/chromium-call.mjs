// Chromium sends a picture that is hard to compress to itself over a UdpLink: what its own
// congestion control makes of the link.

import { openChromium } from './browser.mjs';
import { UdpLink } from './udp-link.mjs';

// In the page: two connections, the candidates of either replaced by the link's ports.
async function call({ near, far }) {
  const a = new RTCPeerConnection(), b = new RTCPeerConnection();
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
  const paint = canvas.getContext('2d');
  const tile = paint.createImageData(160, 90);
  setInterval(() => {
    for (let i = 0; i < tile.data.length; i++) tile.data[i] = i % 4 === 3 ? 255 : Math.random() * 255;
    for (let i = 0; i < 16; i++) paint.putImageData(tile, (i % 4) * 160, Math.floor(i / 4) * 90);
  }, 33);
  a.addTrack(canvas.captureStream(30).getVideoTracks()[0]);
  const sound = new AudioContext(), oscillator = sound.createOscillator(), out = sound.createMediaStreamDestination();
  oscillator.connect(out);
  oscillator.start();
  a.addTrack(out.stream.getAudioTracks()[0]);
  const real = {};
  const pass = (from, to, port, name) => {
    from.onicecandidate = ({ candidate }) => {
      const fields = candidate?.candidate.split(' ');
      if (!fields || fields[4] !== '127.0.0.1' || fields[2] !== 'udp') return;
      real[name] = Number(fields[5]);
      fields[5] = String(port);
      to.addIceCandidate({ candidate: fields.join(' '), sdpMid: candidate.sdpMid, sdpMLineIndex: candidate.sdpMLineIndex });
    };
  };
  pass(a, b, far, 'a');
  pass(b, a, near, 'b');
  const video = document.createElement('video');
  Object.assign(video, { muted: true, autoplay: true });
  document.body.append(video);
  b.ontrack = ({ streams, track }) => { if (track.kind === 'video') video.srcObject = streams[0] ?? new MediaStream([track]); };
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
  globalThis.estimate = async () => {
    for (const report of (await a.getStats()).values())
      if (report.type === 'candidate-pair' && report.nominated) return report.availableOutgoingBitrate ?? 0;
    return 0;
  };
  globalThis.connected = () => a.connectionState === 'connected';
  for (let i = 0; i < 100 && real.b === undefined; i++) await new Promise((done) => setTimeout(done, 20));
  return real;
}

// config: see UdpLink. link: the link; estimate(): what Chromium believes it carries, bits per second.
export async function chromiumCall(config) {
  const link = new UdpLink(config);
  const ports = await link.open();
  const browser = await openChromium({
    args: ['--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'],
  });
  const { page } = browser;
  link.receiver = (await page.evaluate(call, ports)).b;
  await page.waitForFunction(() => globalThis.connected(), null, { timeout: 15_000 });
  return {
    link,
    estimate: () => page.evaluate(() => globalThis.estimate()),
    close: async () => { await browser.close(); link.close(); },
  };
}
