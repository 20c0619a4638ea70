// What the benches of the records share: the program that measures, and one line of results.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildDir } from './station.mjs';

export const benchProgram = (name, args) => {
  const out = execFileSync(join(buildDir, `tests/bench/bench-${name}`), args.map(String), { encoding: 'utf8', maxBuffer: 1 << 28 });
  return out.trim();
};

// On the disk of the build folder (a real fsync), or in memory; gone afterwards.
export const withFolder = (parent, work) => {
  const base = parent ?? join(buildDir, 'tests/bench');
  mkdirSync(base, { recursive: true });
  const folder = mkdtempSync(join(base, 'nhipcau-bench-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export const hundredth = (value) => Math.round(value * 100) / 100;
export const result = (line) => console.log(JSON.stringify(line));
