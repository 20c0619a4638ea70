// Parts of the pages' own code, for tests that compare with what pages understand.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../station/web/node_modules/esbuild/lib/main.js';
import { root } from './station.mjs';

async function load(file) {
  const out = mkdtempSync(join(tmpdir(), 'nhipcau-pages-'));
  try {
    const outfile = join(out, 'part.mjs');
    await build({ entryPoints: [join(root, 'station/web/src', file)], outfile, bundle: true, format: 'esm', target: 'node18', logLevel: 'warning' });
    return await import(outfile);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

export const { readWaves } = await load('waves/codec.ts');
