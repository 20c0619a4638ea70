// A bench of congestion control: ours in virtual time (tests/bench/congestion.c, 21 seeds), Chromium's
// own sender beside it on a link with the same numbers in real time.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { median } from './figures.mjs';
import { chromiumCall } from './chromium-call.mjs';
import { buildDir } from './station.mjs';

const round = (value) => Math.round(value * 1000) / 1000;

// Calls look() every 20 ms until it returns true, or for so long; returns the seconds it took.
export async function until(look, seconds) {
  const begun = performance.now();
  while (performance.now() - begun < seconds * 1000 && !(await look())) await pause(20);
  return (performance.now() - begun) / 1000;
}

// measure(call): one run of Chromium, in the bench's unit.
export async function linkBench({ name, link, unit, better, measure }) {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '3' } } });
  const ours = JSON.parse(execFileSync(join(buildDir, 'tests/bench/bench-congestion'), [name], { encoding: 'utf8' }));
  const peer = [];
  for (let run = 0; run < Number(values.runs); run++) {
    const call = await chromiumCall(link);
    try {
      peer.push(await measure(call));
    } finally {
      await call.close();
    }
  }
  const theirs = peer.length > 0 ? median(peer) : null;
  console.log(JSON.stringify({
    bench: name, ours: round(ours.median), peer: theirs === null ? null : round(theirs),
    peer_name: theirs === null ? null : 'Chromium', unit,
    ratio: theirs ? round(ours.median / theirs) : null, better,
    all: { ours: ours.all.map(round), peer: peer.map(round) },
  }));
  process.exit(0);
}
