// µs of processor for each packet of about 1200 B, all-in at a high rate, beside bare srtp_protect + sendto

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../lib/figures.mjs';
import { buildDir } from '../lib/station.mjs';
import { Viewers } from '../lib/viewers.mjs';

const { values } = parseArgs({ options: {
  viewers: { type: 'string', default: '8' }, seconds: { type: 'string', default: '15' }, runs: { type: 'string', default: '3' } } });
const round = (value) => Math.round(value * 100) / 100;
const all = { ours: [], bare: [] };

for (let i = 0; i < Number(values.runs); i++) {
  const call = new Viewers('ours', ['--bitrate', '3500']);
  try {
    await call.grow(Number(values.viewers));
    await pause(8000);
    const { cores, packets } = await call.measure(Number(values.seconds));
    all.ours.push(cores * 1e6 / packets);
  } finally {
    await call.end();
  }
  const bare = JSON.parse(execFileSync(join(buildDir, 'tests/bench/bench-sender'), ['--bare', '5'], { encoding: 'utf8' }));
  all.bare.push(bare.cpu_us / bare.packets);
}
const [ours, peer] = [median(all.ours), median(all.bare)];
console.log(JSON.stringify({
  bench: 'packet-cost', ours: round(ours), peer: round(peer), peer_name: 'srtp_protect + sendto', unit: 'µs', ratio: round(ours / peer),
  better: 'lower', all: { ours: all.ours.map(round), bare: all.bare.map(round) },
}));
process.exit(0);
