// percent of a core for each added viewer of 1 Mbit/s, the slope over 1, 4 and 8, beside webrtcbin

import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../lib/figures.mjs';
import { Viewers, slope } from '../lib/viewers.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' }, runs: { type: 'string', default: '3' } } });
const COUNTS = [1, 4, 8];
const round = (value, digits = 1000) => Math.round(value * digits) / digits;

async function run(kind, args) {
  const call = new Viewers(kind, args);
  try {
    const points = [];
    for (const count of COUNTS) {
      await call.grow(count);
      await pause(8000); // probes and first pictures are through
      points.push([count, await call.measure(Number(values.seconds))]);
    }
    return { percent: slope(points.map(([count, { cores }]) => [count, cores * 100])), points };
  } finally {
    await call.end();
  }
}

// The same number of pictures and bits a second; ours are made up, its are encoded, which the slope does not see.
const kinds = { ours: ['--bitrate', '1000', '--rate', '15'], webrtcbin: ['--moving', '--bitrate', '1000', '--nack'] };
const all = { ours: [], webrtcbin: [] };
for (let i = 0; i < Number(values.runs); i++)
  for (const [kind, args] of Object.entries(kinds)) {
    const { percent, points } = await run(kind, args);
    all[kind].push(percent);
    console.error(kind, round(percent), points.map(([count, { cores, packets, frames }]) =>
      `${count}: ${round(cores * 100)} %, ${Math.round(packets)} packets/s, ${Math.round(frames)} frames/s`).join('; '));
  }
const [ours, peer] = [median(all.ours), median(all.webrtcbin)];
console.log(JSON.stringify({
  bench: 'viewer-cost', ours: round(ours), peer: round(peer), peer_name: 'webrtcbin', unit: '% of a core', ratio: round(ours / peer),
  better: 'lower', all: { ours: all.ours.map((x) => round(x)), webrtcbin: all.webrtcbin.map((x) => round(x)) },
}));
process.exit(0);
