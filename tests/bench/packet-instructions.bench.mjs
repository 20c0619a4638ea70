// Instructions of each packet of about 1200 B, all-in, counted by callgrind: the same on a busy machine

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { Viewers } from '../lib/viewers.mjs';

const { values } = parseArgs({ options: {
  viewers: { type: 'string', default: '4' }, seconds: { type: 'string', default: '10' }, bitrate: { type: 'string', default: '1000' } } });
const dir = mkdtempSync(join(tmpdir(), 'nhipcau-callgrind-'));

// What was counted since the last time.
function counted(pid) {
  execFileSync('callgrind_control', ['-d', String(pid)], { stdio: 'ignore' });
  const files = readdirSync(dir).sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]));
  return Number(readFileSync(join(dir, files.at(-1)), 'utf8').match(/^(?:summary|totals): (\d+)/m)[1]);
}

const call = new Viewers('ours', ['--bitrate', values.bitrate],
  ['valgrind', '--quiet', '--tool=callgrind', '--compress-strings=yes', `--callgrind-out-file=${join(dir, 'out')}`]);
try {
  await call.grow(Number(values.viewers));
  await pause(8000);
  counted(call.sender.pid);
  const { packets } = await call.measure(Number(values.seconds));
  const instructions = counted(call.sender.pid);
  const each = Math.round(instructions / (packets * Number(values.seconds)));
  console.log(JSON.stringify({
    bench: 'packet-instructions', ours: each, peer: null, peer_name: null, unit: 'instructions', ratio: null, better: 'lower',
    packets: Math.round(packets),
  }));
} finally {
  await call.end();
  rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
