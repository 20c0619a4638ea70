// ms from a click on the timeline of a two-hour record to its picture, in the console's own page

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openChromium } from '../lib/browser.mjs';
import { median } from '../lib/figures.mjs';
import { buildDir, runStation, setUp, stop } from '../lib/station.mjs';

const { values } = parseArgs({ options: { hours: { type: 'string', default: '2' }, runs: { type: 'string', default: '20' } } });
const seconds = Number(values.hours) * 3600, runs = Number(values.runs);
const dir = mkdtempSync(join(tmpdir(), 'nhipcau-bench-'));
const film = (name) => join(dir, name);
const ffmpeg = (...args) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args]);

let station, doctor;
try {
  // A minute is encoded, and goes on from the beginning: two hours are copied, not encoded.
  ffmpeg('-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=10', '-t', '60', '-c:v', 'libx264', '-profile:v', 'baseline', '-level', '3.0', '-pix_fmt', 'yuv420p',
    '-preset', 'ultrafast', '-g', '20', '-keyint_min', '20', '-sc_threshold', '0', film('minute.mp4'));
  ffmpeg('-f', 'lavfi', '-i', 'sine=frequency=440', '-t', '60', '-c:a', 'libopus', '-b:a', '32k', film('minute.webm'));
  const again = (name) => ['-stream_loop', String(Math.ceil(seconds / 60) - 1), '-i', film(name), '-c', 'copy'];
  ffmpeg(...again('minute.mp4'), '-frag_duration', '500000', '-movflags', 'empty_moov+default_base_moof', film('video.mp4'));
  ffmpeg(...again('minute.webm'), '-cluster_time_limit', '1000', film('sound.webm'));
  const place = await setUp(join(dir, 'station'));
  const id = execFileSync(join(buildDir, 'tests/bench/bench-long-record'),
    [place.state, place.boot, film('video.mp4'), film('sound.webm')], { encoding: 'utf8' }).trim();
  station = await runStation(place);
  doctor = await openChromium({ ca: place.ca });
  const { page } = doctor;
  await page.goto(place.origin);
  await page.getByTestId('user-lan').click();
  await page.getByTestId('pin').fill(place.pin);
  await page.getByTestId('pin-enter').click();
  await page.getByTestId('unlock').click();
  await page.getByTestId('passphrase').fill(readFileSync(place.passphrase, 'utf8').trim());
  await page.getByTestId('unlock-go').click();
  const opened = Date.now();
  await page.getByTestId(`record-${id}`).click();
  await page.locator('[data-testid=recorded-room][data-state=ready]').waitFor({ timeout: 60_000 });
  const open = Date.now() - opened;
  // In the page: from the input on the timeline to the first picture that is presented of that moment.
  const seek = (at) => page.evaluate((wanted) => new Promise((done) => {
    const bar = document.querySelector('[data-testid=seek]'), video = document.querySelector('[data-testid=recorded-room]');
    const began = performance.now();
    const look = (_, { mediaTime }) => {
      if (Math.abs(mediaTime - wanted) < 0.3) done(performance.now() - began);
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    bar.value = String(wanted);
    bar.dispatchEvent(new Event('input', { bubbles: true }));
  }), at);
  const times = [];
  for (let i = 0; i < runs; i++) {
    const at = Math.round(((i * 0.618034 + 0.31) % 1) * (seconds - 20)) + 5.2;
    times.push(await Promise.race([seek(at), new Promise((done) => setTimeout(() => done(Infinity), 20_000))]));
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ bench: 'seek', ours: median(times), worst: times.at(-1), open_ms: open, hours: seconds / 3600, peer: null, peer_name: null,
    unit: 'ms', ratio: null, better: 'lower' }));
} finally {
  await doctor?.close();
  await stop(station);
  rmSync(dir, { recursive: true, force: true });
}
