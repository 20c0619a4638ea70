// How often byte patterns stand in the memory of a process. As a program, so that a test can do
// other things meanwhile: node memory-hits.mjs [--dumped] PID HEX… prints a JSON array of counts. --dumped: only in areas that a
// core dump would have (not those that are left out, VmFlags dd).

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const dumped = process.argv[2] === '--dumped';
const [pid, ...hex] = process.argv.slice(dumped ? 3 : 2);
const patterns = hex.map((text) => Buffer.from(text, 'hex'));
const hits = patterns.map(() => 0);
const block = Buffer.alloc(8 << 20);
const overlap = Math.max(...patterns.map((pattern) => pattern.length)) - 1;
const memory = openSync(`/proc/${pid}/mem`, 'r');

function search(from, to) {
  for (let at = from; at < to; at += block.length - overlap) {
    let got;
    try {
      got = readSync(memory, block, 0, Math.min(block.length, to - at), at);
    } catch {
      return; // given back meanwhile
    }
    const seen = block.subarray(0, got);
    patterns.forEach((pattern, i) => {
      for (let found = seen.indexOf(pattern); found >= 0; found = seen.indexOf(pattern, found + 1)) hits[i]++;
    });
  }
}

// A new area begins with its addresses, its other lines with a word.
for (const area of readFileSync(`/proc/${pid}/smaps`, 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
  const [, from, to, mode] = area.match(/^([0-9a-f]+)-([0-9a-f]+) (\S+)/) ?? [];
  if (mode?.startsWith('rw') && !(dumped && /^VmFlags:.* dd\b/m.test(area))) search(parseInt(from, 16), parseInt(to, 16));
}
closeSync(memory);
console.log(JSON.stringify(hits));
