// kbit/s of waves of real ECGs, lossless, with what the packets add told apart; beside samples of 16 bits

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildDir, root } from '../lib/station.mjs';

const dataDir = join(root, '../shared/data/wfdb');
if (!existsSync(dataDir)) {
  console.error('../shared/data is not here: nothing to measure');
  process.exit(0);
}

// File, format, signals in it, which of them, every so many samples, samples a second that remain.
const FILES = [
  ['8 leads of s0010_re (I, II, V1 to V6; 0.5 µV a step)', 's0010_re.dat', 16, 12, '0,1,6,7,8,9,10,11', 2, 500],
  ['3 leads of s0010_re (II, V1, V5)', 's0010_re.dat', 16, 12, '1,6,10', 2, 500],
  ['lead II of s0010_re', 's0010_re.dat', 16, 12, '1', 2, 500],
  ['2 leads of MIT-BIH 100', '100.dat', 212, 2, '0,1', 1, 360],
];
const round = (value) => Math.round(value * 100) / 100;
for (const [name, file, ...how] of FILES) {
  const lines = execFileSync(join(buildDir, 'tests/bench/bench-wave-bits'), [join(dataDir, file), ...how.map(String)], { encoding: 'utf8' });
  for (const { leads, rate, packet_ms, kbps, on_wire_kbps, largest } of lines.trim().split('\n').map(JSON.parse)) {
    const peer = (leads * rate * 16) / 1000;
    console.log(JSON.stringify({
      bench: 'wave-bits', what: `${name}, packets of ${packet_ms} ms`, ours: round(kbps), peer: round(peer), peer_name: 'int16',
      unit: 'kbit/s', ratio: round(kbps / peer), better: 'lower', on_wire: round(on_wire_kbps), largest_bytes: largest,
    }));
  }
}
