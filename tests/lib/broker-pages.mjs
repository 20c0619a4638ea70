// The pages' own code of the way through a broker, in Node: mqtt.js over TCP, without a window.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { webcrypto } from 'node:crypto';
import { build } from '../../station/web/node_modules/esbuild/lib/main.js';
import { root } from './station.mjs';

// What the code asks of a browser.
globalThis.crypto ??= webcrypto;
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};
globalThis.document ??= { visibilityState: 'visible', addEventListener() {}, removeEventListener() {} };

export async function loadRendezvous() {
  const out = mkdtempSync(join(tmpdir(), 'nhipcau-rendezvous-pages-'));
  try {
    const web = join(root, 'station/web');
    const entry = join(out, 'entry.ts');
    writeFileSync(entry, ['broker', 'line', 'presence', 'tunnel', 'seal'].map((name) => `export * from ${JSON.stringify(join(web, 'src/rendezvous', name))}`).join('\n')
      + `\nexport { readFragment } from ${JSON.stringify(join(web, 'src/join/key'))}\n`);
    const outfile = join(out, 'rendezvous.mjs');
    await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node', target: 'node18', logLevel: 'warning', absWorkingDir: web, nodePaths: [join(web, 'node_modules')],
      banner: { js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);" } });
    return await import(outfile);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
