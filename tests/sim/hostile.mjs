// Slow and hostile connections to an HTTPS server, from addresses of 127.0.0.0/8: a program of its own, so that its work is not the
// test's. Whoever is thrown out comes again. Each second a line of JSON: how many there are, by kind.
//
//   node hostile.mjs --port N --count 1000 [--addresses 12] [--path /ws/join] [--protocol nhipcau.1]

import { connect } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: {
  port: { type: 'string' }, count: { type: 'string', default: '1000' }, addresses: { type: 'string', default: '12' },
  path: { type: 'string', default: '/ws/join' }, protocol: { type: 'string', default: 'nhipcau.1' },
} });
const port = Number(values.port), COUNT = Number(values.count), ADDRESSES = Number(values.addresses);
const UPGRADE = `GET ${values.path} HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: https://localhost:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
  + `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ${values.protocol}\r\n\r\n`;
// The first bytes of a TLS record that holds a ClientHello, and no more of it.
const HALF = Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), Buffer.alloc(32, 7)]);
// A whole text frame of a client, masked by zeros: no JSON.
const RUBBISH = Buffer.concat([Buffer.from([0x81, 0xfe, 0x04, 0x00, 0, 0, 0, 0]), Buffer.alloc(1024, 0x7b)]);

const secureContext = createSecureContext(); // one for all: making it costs more than a handshake
const here = {}, tried = {}, out = {};
const note = (where, kind, by = 1) => { where[kind] = (where[kind] ?? 0) + by; };
let answered = 0, refused = 0;

// What each does with an open socket; `tls`: after a whole handshake. Returns what is to be stopped.
const kinds = {
  silent: { share: 25, tls: false, act: () => {} },
  'half-tls': { share: 20, tls: false, act: (socket) => socket.write(HALF) },
  slowloris: { share: 22, tls: true, act(socket) {
    socket.write(`GET / HTTP/1.1\r\nHost: localhost:${port}\r\n`);
    let n = 0;
    return setInterval(() => socket.write(`X-${n++}: a\r\n`), 1500);
  } },
  giant: { share: 4, tls: true, act(socket) {
    socket.write(`GET / HTTP/1.1\r\nHost: localhost:${port}\r\n`);
    return setInterval(() => { if (socket.writableLength < 1 << 20) socket.write(`X-Large: ${'a'.repeat(65536)}\r\n`); }, 100);
  } },
  mute: { share: 24, tls: true, act: (socket) => socket.write(UPGRADE) },
  rubbish: { share: 2, tls: true, act(socket) {
    socket.write(UPGRADE);
    return setInterval(() => { if (socket.writableLength < 1 << 18) for (let i = 0; i < 20; i++) socket.write(RUBBISH); }, 20);
  } },
  asking: { share: 2, tls: true, act(socket) {
    const ask = () => { for (let i = 0; i < 20; i++) socket.write(`GET /join HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`); };
    ask();
    return setInterval(() => { if (socket.writableLength < 1 << 16) ask(); }, 50);
  } },
  comingAndGoing: { share: 1, tls: true, act: (socket) => { socket.destroy(); } },
};

function begin(kind, i) {
  const { tls, act } = kinds[kind];
  const localAddress = `127.0.0.${2 + (i % ADDRESSES)}`;
  let timer, there = false, over = false;
  note(tried, kind);
  const opened = () => {
    there = true;
    note(here, kind);
    timer = act(socket);
  };
  const socket = tls ? connectTls({ host: '127.0.0.1', port, localAddress, servername: 'localhost', secureContext, rejectUnauthorized: false }, opened) // who is hostile does not care whom it reaches
    : connect({ host: '127.0.0.1', port, localAddress }, opened);
  socket.on('data', (bytes) => {
    answered++;
    if (/^HTTP\/1\.1 (429|503)/.test(bytes.subarray(0, 12).toString('latin1'))) refused++;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    if (over) return;
    over = true;
    clearInterval(timer);
    note(out, kind);
    if (there) note(here, kind, -1);
    setTimeout(() => begin(kind, i), 2000 + Math.random() * 3000);
  });
}

const shares = Object.entries(kinds).flatMap(([kind, { share }]) => Array(share).fill(kind));
let begun = 0;
const starting = setInterval(() => {
  for (let n = 0; n < 20 && begun < COUNT; n++, begun++) begin(shares[(begun * 37) % shares.length], begun);
  if (begun >= COUNT) clearInterval(starting);
}, 20);
const sum = (what) => Object.values(what).reduce((total, n) => total + n, 0);
setInterval(() => console.log(JSON.stringify({ begun, here: sum(here), tried: sum(tried), out: sum(out), answered, refused, kinds: here })), 1000);
