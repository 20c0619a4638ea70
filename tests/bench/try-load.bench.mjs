// cores that station/try leaves free while both pages are open, with what the station itself takes

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { openChromium } from '../lib/browser.mjs';
import { askToJoin, picturesMove, signIn, tryClinic, watched } from '../lib/clinic.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' } } });
const CAMERAS = ['video-source-room', 'video-source-exam'];
const ticks = Number(execFileSync('getconf', ['CLK_TCK']));

// Idle time of all cores since boot, s.
function idle() {
  const times = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).slice(1).map(Number);
  return (times[3] + times[4]) / ticks;
}

// Processor time of one process, s.
function used(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

const clinic = await tryClinic();
const browsers = [];
try {
  const [doctor, specialist] = [await openChromium({ ca: clinic.ca }), await openChromium({ ca: clinic.ca })];
  browsers.push(doctor, specialist);
  for (const { context } of browsers) await watched(context);
  await signIn(doctor.page, clinic);
  await askToJoin(specialist.page, clinic);
  await doctor.page.getByTestId('admit').click();
  for (const { page } of browsers) await picturesMove(page, CAMERAS);
  const from = { at: performance.now(), idle: idle(), station: used(clinic.pid) };
  await new Promise((done) => setTimeout(done, Number(values.seconds) * 1000));
  const seconds = (performance.now() - from.at) / 1000;
  const round = (x) => Math.round(x * 100) / 100;
  console.log(JSON.stringify({
    bench: 'try-load', ours: round((idle() - from.idle) / seconds), peer: null, peer_name: null, unit: 'cores free',
    ratio: null, better: 'higher', cores: cpus().length, station_cores: round((used(clinic.pid) - from.station) / seconds),
  }));
} finally {
  for (const browser of browsers) await browser.close();
  await clinic.end();
}
process.exit(0);
