// Datagrams with a number, from one network namespace to another: a program for tests of links.
//
//   node udp-probe.mjs receive            prints {"port"}; when its input ends, {"numbers", "ms", "bytes"}:
//                                         what arrived in that order, from first to last
//   node udp-probe.mjs send ADDRESS PORT COUNT BYTES RATE      RATE: bit/s with IP's and UDP's headers

import { createSocket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { line, start, stop } from './station.mjs';

const HEADERS = { udp4: 28, udp6: 48 };
const family = (address) => (address.includes(':') ? 'udp6' : 'udp4');

function receive() {
  const socket = createSocket({ type: 'udp6', recvBufferSize: 4 << 20 });
  const numbers = [];
  let first, last, bytes = 0;
  socket.on('message', (data) => {
    last = performance.now();
    first ??= last;
    if (numbers.length > 0) bytes += data.length; // of the first only the end was seen
    numbers.push(data.readUInt32BE(0));
  });
  const tell = () => {
    if (performance.now() - (last ?? -1000) < 200) { setTimeout(tell, 50); return; }
    console.log(JSON.stringify({ numbers, ms: (last ?? 0) - (first ?? 0), bytes }));
    socket.close();
  };
  socket.bind(0, () => console.log(JSON.stringify({ port: socket.address().port })));
  process.stdin.on('end', tell).resume();
}

function send([address, port, count, bytes, rate]) {
  const socket = createSocket(family(address));
  const step = ((Number(bytes) + HEADERS[family(address)]) * 8 * 1000) / Number(rate);
  const begun = performance.now();
  let number = 0, sent = 0;
  const turn = () => {
    while (number < Number(count) && performance.now() - begun >= number * step) {
      const data = Buffer.alloc(Number(bytes));
      data.writeUInt32BE(number++, 0);
      socket.send(data, Number(port), address, () => { if (++sent === Number(count)) socket.close(); });
    }
    if (number < Number(count)) setTimeout(turn, 1);
  };
  turn();
}

// From a namespace to an address in another: what the receiver has when nothing is under way any more.
// settled: resolves when the link is empty.
export async function sendNumbers({ from, to, address, count, bytes = 1200, rate, settled }) {
  const program = new URL(import.meta.url).pathname;
  const receiver = start('node', [program, 'receive'], { netns: to, stdio: ['pipe', 'pipe', 'pipe'] });
  try {
    const { port } = JSON.parse((await line(receiver, /^\{.*/))[0]);
    const sender = start('node', [program, 'send', ...[address, port, count, bytes, rate].map(String)], { netns: from });
    const done = new Promise((ended, fail) => sender.once('exit', (code) => (code === 0 ? ended() : fail(new Error(`udp-probe ended (${code})`)))));
    await done;
    await settled();
    const result = line(receiver, /^\{.*/);
    receiver.stdin.end();
    const found = JSON.parse((await result)[0]);
    return { ...found, rate: (found.bytes + HEADERS[family(address)] * Math.max(found.numbers.length - 1, 0)) * 8000 / found.ms };
  } finally {
    await stop(receiver);
  }
}

const [, program, what, ...rest] = process.argv;
if (program === new URL(import.meta.url).pathname) (what === 'send' ? send : receive)(rest);
