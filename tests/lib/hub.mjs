// A hub behind a pipe (tests/sim/hub-probe.c) and a plain page that speaks to it: the transport
// with real browsers, without sign-in, invitations and records.

import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import { WebSocketServer } from 'ws';

const root = resolve(new URL('.', import.meta.url).pathname, '../..');
const build = process.env.NHIPCAU_BUILD ?? join(root, 'build');

// Runs in the page. Answers every offer; shows each stream in a <video> with its id; keeps what
// the channel brings. `own`: sends its microphone and camera on the lines "mic" and "cam". understood: what the page takes of an offer.
function pageScript() {
  const self = (globalThis.hub = { messages: [], stills: [], channel: null, pc: null, offerAt: 0, firstFrame: {} });
  let socket, own, session;

  function show(event) {
    const stream = event.streams[0];
    let video = document.querySelector(`video[data-stream="${stream.id}"]`);
    if (!video) {
      video = document.createElement('video');
      video.dataset.stream = stream.id;
      video.autoplay = video.playsInline = true;
      document.body.append(video);
      video.srcObject = stream;
      video.requestVideoFrameCallback?.((now) => { self.firstFrame[stream.id] = now; });
      stream.onremovetrack = () => { if (stream.getTracks().length === 0) video.remove(); };
    }
    video.play().catch(() => {});
  }

  function connect() {
    const pc = new RTCPeerConnection();
    pc.ontrack = show;
    pc.ondatachannel = ({ channel }) => {
      if (channel.label === 'still') channel.onmessage = async ({ data }) => {
        const bytes = new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data);
        self.stills.push({ at: performance.now(), bytes: [...bytes] });
      };
      if (channel.label !== 'data') return;
      self.channel = channel;
      channel.onmessage = ({ data }) => self.messages.push(data);
    };
    pc.onicecandidate = ({ candidate }) =>
      socket.send(JSON.stringify({ do: 'candidate', mid: candidate?.sdpMid ?? '', line: candidate?.candidate ?? '' }));
    return pc;
  }

  async function answer(sdp) {
    const id = sdp.match(/^o=- (\d+)/m)[1];
    if (self.pc && id !== session) self.pc.close();
    if (!self.pc || id !== session) {
      self.pc = connect();
      self.offerAt = performance.now();
    }
    session = id;
    const { pc } = self;
    await pc.setRemoteDescription({ type: 'offer', sdp: self.understood?.(sdp) ?? sdp });
    for (const transceiver of pc.getTransceivers()) {
      const track = { mic: own?.getAudioTracks()[0], cam: own?.getVideoTracks()[0] }[transceiver.mid];
      if (!track) continue;
      transceiver.direction = 'sendonly';
      if (transceiver.sender.track !== track) await transceiver.sender.replaceTrack(track);
    }
    await pc.setLocalDescription();
    self.answer = pc.localDescription.sdp;
    socket.send(JSON.stringify({ do: 'answer', sdp: pc.localDescription.sdp }));
  }

  self.start = async (peer, wantsOwn, more = {}) => {
    if (wantsOwn)
      own = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
    socket = new WebSocket(`ws://${location.host}/`);
    await new Promise((done) => { socket.onopen = done; });
    let work = Promise.resolve();
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      work = work.then(async () => {
        if (event.event === 'offer') await answer(event.sdp);
        if (event.event === 'candidate')
          await self.pc.addIceCandidate(event.line ? { candidate: event.line, sdpMid: event.mid } : undefined);
      }).catch((error) => { self.error = String(error); });
    };
    socket.send(JSON.stringify({ do: 'add', peer, label: peer, ...more }));
  };
}

// What goes through a link reaches the other side by the link's port only.
function throughPort(line, port, note) {
  const fields = line.split(' ');
  if (fields[4] !== '127.0.0.1' || fields[2].toLowerCase() !== 'udp') return null;
  note?.(Number(fields[5]));
  fields[5] = String(port);
  return fields.join(' ');
}
function sdpThroughPort(sdp, port, note) {
  return sdp.split('\r\n').flatMap((line) => {
    if (!line.startsWith('a=candidate:')) return [line];
    const changed = throughPort(line.slice(2), port, note);
    return changed === null ? [] : [`a=${changed}`];
  }).join('\r\n');
}

// The hub and its page's server. events: all that the hub said. links: peer -> { link, near, far },
// as UdpLink.open() gives them: what the hub sends to that peer goes through it; to be set before
// the peer starts.
export async function startHub() {
  const child = spawn(join(build, 'tests/sim/hub-probe'), [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const events = [], sockets = new Map(), links = new Map();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line);
    events.push(event);
    if (event.event === 'offer' || event.event === 'candidate')
      toPage(event);
  });
  function toPage(event) {
    const through = links.get(event.peer);
    if (through && event.event === 'offer') event = { ...event, sdp: sdpThroughPort(event.sdp, through.far) };
    if (through && event.event === 'candidate' && event.line) {
      const line = throughPort(event.line, through.far);
      if (line === null) return;
      event = { ...event, line };
    }
    sockets.get(event.peer)?.send(JSON.stringify(event));
  }
  function toHub(command) {
    const through = links.get(command.peer);
    const note = (port) => { through.link.receiver = port; };
    if (through && command.sdp) command = { ...command, sdp: sdpThroughPort(command.sdp, through.near, note) };
    if (through && command.line) {
      const line = throughPort(command.line, through.near, note);
      if (line === null) return;
      command = { ...command, line };
    }
    tell(command);
  }
  const tell = (command) => child.stdin.write(`${JSON.stringify(command)}\n`);

  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<!doctype html><title>hub</title><body><script>(${pageScript})()</script></body>`);
  });
  new WebSocketServer({ server }).on('connection', (socket) => {
    let peer;
    socket.on('message', (data) => {
      const command = JSON.parse(data);
      if (command.do === 'add') {
        peer = command.peer;
        sockets.set(peer, socket);
      }
      toHub({ ...command, peer, loopback: true });
    });
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });

  const look = async (peer) => {
    const from = events.length;
    tell({ do: 'look', peer });
    for (;;) {
      const found = events.slice(from).find((event) => event.event === 'look' && event.peer === peer);
      if (found) return found;
      if (child.exitCode !== null) throw new Error(`hub-probe ended: ${child.exitCode}`);
      await new Promise((done) => { setTimeout(done, 10); });
    }
  };
  const state = (peer) => events.findLast((event) => event.event === 'state' && event.peer === peer);
  const stop = async () => {
    const ended = new Promise((done) => { child.on('exit', (code, signal) => done(code ?? signal)); });
    child.stdin.end();
    for (const socket of sockets.values()) socket.terminate();
    server.closeAllConnections();
    server.close();
    return ended;
  };
  return { events, links, tell, look, state, stop, address: `http://127.0.0.1:${server.address().port}/` };
}
