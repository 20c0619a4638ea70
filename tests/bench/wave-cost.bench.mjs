// percent of a core for 12 leads × 500 Hz to 4 peers: encoding, SCTP, DTLS; beside the same call without waves

import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../lib/figures.mjs';
import { Viewers } from '../lib/viewers.mjs';

const { values } = parseArgs({ options: {
  viewers: { type: 'string', default: '4' }, leads: { type: 'string', default: '12' },
  seconds: { type: 'string', default: '20' }, runs: { type: 'string', default: '3' } } });
const round = (value) => Math.round(value * 100) / 100;

// A camera of few bits goes along, so that peers are as they are in a consultation.
async function run(leads) {
  const call = new Viewers('ours', ['--bitrate', '300', '--rate', '15', ...(leads ? ['--waves', String(leads)] : [])]);
  try {
    await call.grow(Number(values.viewers));
    await pause(8000);
    return await call.measure(Number(values.seconds));
  } finally {
    await call.end();
  }
}

const all = { with: [], without: [] };
for (let i = 0; i < Number(values.runs); i++) {
  const [without, waves] = [await run(0), await run(Number(values.leads))];
  all.with.push(waves.cores * 100);
  all.without.push(without.cores * 100);
  console.error(`without ${round(without.cores * 100)} %, ${Math.round(without.packets)} packets/s; with ${round(waves.cores * 100)} %, ${Math.round(waves.packets)} packets/s`);
}
const [ours, peer] = [median(all.with) - median(all.without), median(all.without)];
console.log(JSON.stringify({
  bench: 'wave-cost', ours: round(ours), peer: round(peer), peer_name: 'the call without waves', unit: '% of a core', ratio: round(ours / peer),
  better: 'lower', all: { with: all.with.map(round), without: all.without.map(round) },
}));
process.exit(0);
