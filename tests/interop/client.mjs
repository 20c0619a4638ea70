// A second client of the station, written from docs/protocol.md alone, on another WebRTC stack (werift): a specialist
// without a screen. Joins by an invitation link, receives picture, sound, readings and waves, speaks, and writes opinions.
//
//   node tests/interop/client.mjs LINK --name NAME [--facility TEXT] [--ca FILE] [--address IP] [--key FILE] [--video FILE]
//
//   --ca       certificate of the station's authority
//   --address  where the link's host is, without asking DNS
//   --key      keeps the key of this invitation, so that a restart is the same guest
//   --video    the first picture's H.264 goes there (Annex B)
//
// Prints what happens as lines of JSON. Reads lines of JSON: {"note":"text"} writes an opinion, {"leave":true} leaves.

import { createWriteStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpHeader, RtpPacket, useSdesMid, useTransportWideCC } from 'werift';
import WebSocket from 'ws';
import { Pictures, Stills } from './media.mjs';
import { readWaves } from './waves.mjs';

const VERSION = 'nhipcau.1';
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]); // 20 ms of Opus (RFC 6716 3.1: CELT, full band, one frame)
const FRAME_MS = 20, FRAME_TICKS = 960, FIGURES_MS = 5000;

const { values: options, positionals: [link] } = parseArgs({ allowPositionals: true, options: Object.fromEntries(
  ['name', 'facility', 'ca', 'address', 'key', 'video'].map((name) => [name, { type: 'string' }])) });
const tell = (what, fields = {}) => console.log(JSON.stringify({ what, ...fields }));

// ---- the invitation ----

const address = new URL(link);
const [version, invite, secret] = address.hash.slice(1).split('.');
if (version !== 'v1' || !invite || !secret) throw new Error('this is no invitation link: https://…/join#v1.<invite>.<secret>');

function ownKey(file) {
  if (file && existsSync(file)) return createPrivateKey(readFileSync(file));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (file) writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return privateKey;
}
const key = ownKey(options.key);

const proof = (nonce) => ({
  invite, secret, key: createPublicKey(key).export({ format: 'jwk' }),
  signature: sign('sha256', Buffer.from(`nhipcau-join-1\n${nonce}\n${invite}`), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
});

// ---- the WebSocket ----

const socket = new WebSocket(`wss://${address.host}/ws/join`, VERSION, {
  origin: address.origin,
  ...options.ca && { ca: readFileSync(options.ca) },
  ...options.address && { lookup: (host, { all }, done) => all
    ? done(null, [{ address: options.address, family: 4 }]) : done(null, options.address, 4) },
});
const waiting = new Map();
let requests = 0;
const say = (type, fields = {}) => socket.send(JSON.stringify({ type, ...fields }));
const ask = (type, fields = {}) => new Promise((done, fail) => {
  waiting.set(++requests, { done, fail });
  say(type, { id: requests, ...fields });
});

const heard = {
  async hello({ protocol, station, nonce }) {
    tell('hello', { protocol, station: station.name });
    const { guest, state } = await ask('join', { ...proof(nonce), name: options.name, facility: options.facility ?? '' });
    tell(state, { guest });
    if (state === 'admitted') await ask('media.start', {});
  },
  async admitted() {
    tell('admitted');
    if (!peer) await ask('media.start', {});
  },
  lobby: ({ position }) => tell('waiting', { position }),
  refused: ({ code, text }) => { tell('refused', { code, text }); leave(); },
  ended: ({ code }) => { tell('ended', { code }); leave(); },
  'media.offer': takeOffer,
  'media.candidate': ({ mid, candidate }) => candidate
    ? peer.addIceCandidate({ candidate: candidate.replace(/^a=/, ''), sdpMid: mid }) : undefined,
  'media.state': ({ state, reason }) => tell('media', { state, reason }),
};

socket.on('message', async (data) => {
  const message = JSON.parse(data.toString());
  try {
    if (message.re !== undefined) {
      const { done, fail } = waiting.get(message.re) ?? {};
      waiting.delete(message.re);
      if (message.type === 'ok') done?.(message);
      else fail?.(Object.assign(new Error(message.text?.en), message));
    } else {
      await heard[message.type]?.(message);
    }
  } catch (error) {
    tell('error', { code: error.code, text: error.text ?? error.message });
  }
});
socket.on('close', (code) => { tell('closed', { code }); leave(); });
socket.on('error', (error) => { tell('error', { text: error.message }); leave(); });

// ---- media ----

let peer;
const seen = new Map(); // figures of each stream, by its name
const feedback = (...types) => types.map(([type, parameter]) => ({ type, parameter }));
const codecs = {
  audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48000, channels: 2, payloadType: 111 })],
  video: [new RTCRtpCodecParameters({ mimeType: 'video/H264', clockRate: 90000, payloadType: 102,
    parameters: 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1',
    rtcpFeedback: feedback(['nack'], ['nack', 'pli'], ['transport-cc']) })],
};

// The name of the stream that a line carries: of several a=msid the last counts.
const streamOf = (sdp, mid) => sdp.split(/^m=/m).find((part) => part.includes(`a=mid:${mid}\r\n`))
  ?.match(/a=msid:\S+/g)?.at(-1).slice('a=msid:'.length);

async function takeOffer({ sdp, servers }) {
  peer ??= makePeer(servers);
  peer.offer = sdp;
  await peer.setRemoteDescription({ type: 'offer', sdp });
  for (const line of peer.getTransceivers()) if (line.mid === 'mic' && !peer.speaks) speak(line);
  await peer.setLocalDescription(await peer.createAnswer());
  say('media.answer', { sdp: peer.localDescription.sdp });
}

function makePeer(servers) {
  const made = new RTCPeerConnection({
    codecs, headerExtensions: { audio: [useSdesMid(), useTransportWideCC()], video: [useSdesMid(), useTransportWideCC()] },
    iceServers: (servers ?? []).map(({ urls, username, credential }) => ({ urls: [urls].flat()[0], username, credential })),
  });
  made.onIceCandidate.subscribe((found) => found?.candidate && say('media.candidate', { mid: found.sdpMid ?? '0', candidate: found.candidate }));
  made.connectionStateChange.subscribe((state) => tell('connection', { state }));
  made.onTransceiverAdded.subscribe((line) => line.onTrack.subscribe((track) => watch(made, line, track)));
  made.onDataChannel.subscribe((channel) => listen(made, channel));
  return made;
}

function watch(from, line, track) {
  const stream = streamOf(from.offer, line.mid) ?? line.mid;
  const figures = { stream, kind: track.kind, packets: 0, lost: 0, ...track.kind === 'video' ? { frames: 0, freezes: 0, frozen_ms: 0 }
    : { sound_ms: 0, concealed_ms: 0 } };
  seen.set(stream, figures);
  const file = options.video && track.kind === 'video' && !watch.file ? (watch.file = createWriteStream(options.video)) : null;
  const askKey = () => line.receiver.sendRtcpPLI(track.ssrc).catch(() => {});
  const pictures = new Pictures((bytes) => file?.write(bytes), askKey);
  track.onReceiveRtp.subscribe(({ header, payload }) => {
    if (figures.packets++ === 0) {
      tell('stream', { stream, kind: track.kind });
      if (track.kind === 'video') askKey();
    }
    if (track.kind === 'audio') return void (figures.sound_ms += FRAME_MS);
    pictures.packet({ sequenceNumber: header.sequenceNumber, marker: header.marker, payload });
    figures.frames = pictures.count;
  });
}

// What says that somebody is there: silence, which Opus codes in three bytes.
function speak(line) {
  const track = new MediaStreamTrack({ kind: 'audio' });
  line.setDirection('sendonly');
  line.sender.replaceTrack(track);
  peer.speaks = true;
  let sequenceNumber = 0, timestamp = 0;
  peer.speaking = setInterval(() => {
    sequenceNumber = (sequenceNumber + 1) & 0xffff;
    timestamp = (timestamp + FRAME_TICKS) >>> 0;
    track.writeRtp(new RtpPacket(new RtpHeader({ sequenceNumber, timestamp, payloadType: 111, marker: false }), SILENCE));
  }, FRAME_MS);
}

// ---- data channels ----

const numbered = new Map(); // readings by their number
const samples = new Map(); // of waves: how many of each lead came
const stills = new Stills(({ stream, age, jpeg }) => tell('still', { stream, age, bytes: jpeg.length }));

const told = {
  consultation: ({ state, station, people }) => tell('consultation', { state, station, people: people.map(({ name }) => name) }),
  readings({ items = [], now = [] }) {
    for (const item of items) numbered.set(item.no, item);
    for (const { values } of now) for (const [no, value] of values) if (numbered.has(no)) numbered.get(no).value = value;
    tell('readings', { values: [...numbered.values()].map(({ vital, value, unit }) => ({ vital, value: String(value), unit })) });
  },
  waves: ({ level, streams }) => tell('waves', { level, streams: streams.map(({ wave, rate, leads }) => ({ wave, rate, leads: leads.map(({ name }) => name) })) }),
  note: ({ note, kind, text, user }) => tell('note', { note, kind, text, user }),
  saved: ({ note, seq }) => tell('saved', { note, seq }),
  error: ({ code, text, note }) => tell('error', { code, text, note }),
};

function listen(from, channel) {
  const { label } = channel;
  tell('channel', { label });
  if (label === 'data') {
    from.data = channel;
    channel.onMessage.subscribe((text) => { const message = JSON.parse(text); told[message.type]?.(message); });
    setInterval(() => channel.readyState === 'open'
      && channel.send(JSON.stringify({ type: 'figures', streams: [...seen.values()].slice(0, 24) })), FIGURES_MS).unref();
  } else if (label === 'wave') {
    channel.onMessage.subscribe((data) => {
      for (const { stream, epoch, samples: leads } of readWaves(data))
        for (const [lead, values] of Object.entries(leads)) count(`${stream}.${epoch}.${lead}`, values);
    });
  } else if (label === 'still') {
    channel.onMessage.subscribe((data) => stills.chunk(Buffer.from(data)));
  }
}

function count(name, values) {
  const sum = samples.get(name) ?? { count: 0, least: Infinity, most: -Infinity };
  for (const value of values) if (value !== null) {
    sum.count++;
    sum.least = Math.min(sum.least, value);
    sum.most = Math.max(sum.most, value);
  }
  samples.set(name, sum);
}

// ---- whoever uses it ----

createInterface({ input: process.stdin }).on('line', (text) => {
  const { note, leave: goes } = JSON.parse(text);
  if (note) peer.data.send(JSON.stringify({ type: 'note.save', note: randomUUID(), kind: 'opinion', text: note }));
  if (goes) ask('leave').catch(() => {}).finally(leave);
});
setInterval(() => tell('figures', { streams: [...seen.values()], samples: Object.fromEntries(samples) }), 1000).unref();

let left = false;
async function leave() {
  if (left) return;
  left = true;
  clearInterval(peer?.speaking);
  await peer?.close();
  await new Promise((done) => watch.file ? watch.file.end(done) : done());
  socket.close();
  process.exit(0);
}
