// waves against the picture on screen (8 leads at 500 Hz, a Chromium over the link fibre), ms; 50 are allowed

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { eventually, openChromium } from '../lib/browser.mjs';
import { median } from '../lib/figures.mjs';
import { makeLink } from '../lib/link.mjs';
import { line, root, start, stop } from '../lib/station.mjs';
import { alignment, readTraces } from '../lib/wave-align.mjs';

const { values } = parseArgs({ options: {
  runs: { type: 'string', default: '5' }, looks: { type: 'string', default: '60' }, link: { type: 'string', default: 'fibre' },
} });
const dir = mkdtempSync(join(tmpdir(), 'nhipcau-wave-align-'));
const link = await makeLink(values.link);
let clinic, browser;
const runs = [];
try {
  clinic = start('node', [join(root, 'tests/sim/one-camera.mjs'), join(dir, 'station'), link.origin, 'waves'], { netns: link.clinic });
  const facts = JSON.parse((await line(clinic, /^\{.*/, 60))[0]);
  clinic.stderr.resume();
  browser = await openChromium({ ca: facts.ca, netns: link.hospital, devices: false });
  const { page } = browser;
  await page.addInitScript(readTraces);
  await page.goto(facts.link);
  await page.getByTestId('name').fill('BS. Đo');
  await page.getByTestId('join').click();
  await page.getByTestId('wave-screen').waitFor();
  await page.getByTestId('wave-leads').click();
  await page.getByTestId('wave-lead-V6').check();
  await page.getByTestId('wave-leads').click();
  await page.getByTestId('wave-gain').selectOption('20');
  await eventually(() => page.evaluate(() => {
    const { columns } = globalThis.rowOf('V6');
    return columns.filter(({ top }) => top !== null).length > columns.length * 0.9;
  }), 30, 'the ramp is drawn');
  for (let run = 0; run < Number(values.runs); run++) {
    runs.push(await alignment(page, facts.began, Number(values.looks)));
    console.error(`wave-align ${values.link}: ${JSON.stringify(runs.at(-1))}`);
  }
} finally {
  await browser?.close();
  await stop(clinic);
  await link.remove();
  rmSync(dir, { recursive: true, force: true });
}
const ours = Math.round(Math.abs(median(runs.map((run) => run.median))));
console.log(JSON.stringify({
  bench: 'wave-align', ours, peer: 50, peer_name: 'what is allowed', unit: 'ms', ratio: ours / 50, better: 'lower', all: runs,
}));
process.exit(0);
