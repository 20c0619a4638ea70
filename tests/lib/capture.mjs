// What somebody sees who listens at a host: tshark in its namespace, and how to look for what should not be there.

import { execFileSync } from 'node:child_process';
import { Receiver } from 'ws';
import { start, stop } from './station.mjs';

const bytes = (hex) => Buffer.from((hex ?? '').replace(/[:,]/g, ''), 'hex');

export class Capture {
  static async begin(netns, interfaces, file) {
    const self = new Capture();
    self.file = file;
    self.child = start('tshark', ['-q', '-w', file, ...interfaces.flatMap((one) => ['-i', one])], { netns });
    await new Promise((done, fail) => {
      let said = '';
      self.child.stderr.on('data', (chunk) => { said += chunk; if (/Capturing on/.test(said)) done(); });
      self.child.once('exit', () => fail(new Error(`tshark: ${said}`)));
    });
    return self;
  }

  end() { return stop(this.child); }

  // [{stream, from, to, tcp, udp}] of each packet with a payload; nothing above TCP and UDP is taken apart.
  #packets() {
    const names = ['tcp.stream', 'tcp.srcport', 'tcp.dstport', 'tcp.payload', 'udp.payload'];
    const plain = ['tls', 'http', 'rtp', 'rtcp', 'stun', 'dtls', 'websocket', 'mqtt', 'turnchannel'].flatMap((name) => ['--disable-protocol', name]);
    const text = execFileSync('tshark', ['-r', this.file, '-n', ...plain, '-Y', '(tcp.len > 0 && !tcp.analysis.retransmission) || udp', '-T', 'fields',
      ...names.flatMap((name) => ['-e', name])], { encoding: 'latin1', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] });
    return text.split('\n').filter(Boolean).map((row) => row.split('\t'))
      .map(([stream, from, to, tcp, udp]) => ({ stream, from, to, tcp: bytes(tcp), udp: bytes(udp) }));
  }

  // messages: of MQTT between nginx and broker; tcp: all payloads; udp: each one.
  async read() {
    const packets = this.#packets();
    return {
      messages: await webSockets(packets, '9001'), tcp: Buffer.concat(packets.map(({ tcp }) => tcp)),
      udp: packets.map(({ udp }) => udp).filter(({ length }) => length > 0),
    };
  }
}

// The messages of every WebSocket at a port, unmasked.
async function webSockets(packets, port) {
  const streams = new Map(), messages = [];
  for (const { stream, from, to, tcp } of packets) {
    if (from !== port && to !== port) continue;
    const name = `${stream} ${from}`;
    streams.set(name, { toServer: to === port, parts: [...(streams.get(name)?.parts ?? []), tcp] });
  }
  for (const { toServer, parts } of streams.values()) {
    const all = Buffer.concat(parts), frames = all.subarray(all.indexOf('\r\n\r\n') + 4);
    const receiver = new Receiver({ isServer: toServer, allowSynchronousEvents: true });
    receiver.on('message', (data) => messages.push(data));
    await new Promise((done) => { receiver.on('error', done); receiver.end(frames, done); });
  }
  return messages;
}

// Which of the words stand in a buffer: as they are, as JSON escapes them, in base64 or base64url at each of its three phases.
// Words of fewer than six bytes would be found in what is sealed, by chance.
export function knownWords(words) {
  const forms = words.map(String).map((word) => {
    const plain = Buffer.from(word);
    if (plain.length < 6) throw new Error(`too short to be looked for: ${word}`);
    const phases = [0, 1, 2].map((skip) => Buffer.concat([Buffer.alloc(skip), plain]).toString('base64').replace(/=+$/, '').slice(skip ? skip + 1 : 0, -1));
    const escaped = word.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
    return [word, [word, escaped, ...phases, ...phases.map((one) => one.replaceAll('+', '-').replaceAll('/', '_'))]];
  });
  // A number is one of its own, not part of a longer one: logs are full of times.
  const stands = (where, form) => (/^\d+$/.test(form) ? new RegExp(`(?<!\\d)${form}(?!\\d)`).test(where.toString('latin1')) : where.includes(form));
  return (where) => forms.filter(([, all]) => all.some((form) => stands(where, form))).map(([word]) => word);
}

// The payload of an RTP packet, also in TURN's ChannelData (RFC 8656 §12.4); null: it is none.
function rtpPayload(packet) {
  const rtp = (packet[0] & 0xc0) === 0x40 ? packet.subarray(4) : packet;
  if (rtp.length < 16 || (rtp[0] & 0xc0) !== 0x80) return null;
  let at = 12 + 4 * (rtp[0] & 15);
  if (rtp[0] & 16 && at + 4 <= rtp.length) at += 4 + 4 * rtp.readUInt16BE(at + 2);
  return at < rtp.length ? rtp.subarray(at) : null;
}

// The beginning of a picture in the clear: parameters of H.264 in a STAP-A (RFC 6184 §5.7.1), a key frame of VP8 (RFC 6386 §9.1)
// behind its descriptor.
export function looksLikePicture(packet) {
  const payload = rtpPayload(packet);
  if (!payload || payload.length < 24) return false;
  if ((payload[0] & 31) === 24 && payload[1] === 0 && payload[3] === 0x67 && payload[4] === 0x42) return true;
  for (let at = 4; at < 11; at++)
    if (payload.readUIntBE(at, 3) === 0x9d012a && payload.readUInt16LE(at + 3) < 2000 && payload.readUInt16LE(at + 5) < 2000) return true;
  return false;
}
