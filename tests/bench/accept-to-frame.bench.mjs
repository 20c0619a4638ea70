// ms from a specialist's click on "accept", at the hospital's desk and through its broker, to the first picture; both behind NATs

import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { median } from '../lib/figures.mjs';
import { HOST, makeRegion } from '../lib/hospital.mjs';

// nat: of both routers, "nat" (a direct path) or "symmetric" (through the relay). reads: ms that a person looks at the ringing card.
const { values } = parseArgs({ options: {
  runs: { type: 'string', default: '20' }, link: { type: 'string', default: 'fibre' }, nat: { type: 'string', default: 'nat' },
  reads: { type: 'string', default: '2000' }, steps: { type: 'boolean', default: false },
} });

// In the page: when it was clicked, when the first picture of the clinic was presented, and with --steps what lay between.
function clock() {
  globalThis.__t = {};
  const note = (name) => { globalThis.__t[name] ??= performance.now(); };
  document.addEventListener('click', (event) => {
    if (event.target.closest?.('[data-testid=accept]')) globalThis.__t = { click: performance.now() };
  }, true);
  const watch = (video) => {
    if (video.__watched || !(video.dataset.testid ?? '').startsWith('video-source')) return;
    video.__watched = true;
    video.requestVideoFrameCallback(() => note('frame'));
  };
  new MutationObserver(() => document.querySelectorAll('video').forEach(watch)).observe(document, { childList: true, subtree: true });
  const Original = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Original {
    constructor(...args) {
      super(...args);
      this.addEventListener('iceconnectionstatechange', () => note(`ice ${this.iceConnectionState}`));
      this.addEventListener('connectionstatechange', () => note(`peer ${this.connectionState}`));
      this.addEventListener('track', () => note('track'));
    }
    async setRemoteDescription(description) { note('offer'); await super.setRemoteDescription(description); note('offer taken'); }
    async setLocalDescription(description) { await super.setLocalDescription(description); note('answer'); }
  };
}

const users = [{ id: 'lan', name: 'BS. Lò Thị Lan', role: 'doctor' }, { id: 'minh', name: 'BS. Trần Văn Minh', role: 'specialist' }];
const region = await makeRegion({ nat: values.nat, profile: values.link, users });
try {
  const { doctor, clinic } = region;
  await doctor.ask('consultation.start', { mode: 3, reason: 'bench', patient: { unknown: true } });
  await doctor.stateWhere((s) => s.sources.some((source) => source.state === 'running'), 30);
  const { context, page } = await region.browser();
  await context.addInitScript(clock);
  await page.goto(`https://${HOST}/desk`);
  for (let tries = 0; tries < 20 && !(await page.getByTestId('duty').isVisible()); tries++) { // till there is a way to the station
    await page.getByTestId('desk-user').fill('minh');
    await page.getByTestId('desk-pin').fill(clinic.pin);
    await page.getByTestId('desk-enter').click();
    await page.getByTestId('duty').waitFor({ timeout: 5000 }).catch(() => {});
  }
  await page.getByTestId('duty').click();
  await doctor.stateWhere((s) => s.duty?.length === 1, 60);
  const all = [], paths = new Set();
  for (let run = -1; run < Number(values.runs); run++) { // the first warms up
    await doctor.ask('call.request', { call: `c${run + 1}`, specialty: 'cardiology', urgency: 'urgent', release: ['age'], question: '' });
    await page.locator('[data-rings=true]').waitFor({ timeout: 60_000 });
    await pause(Number(values.reads));
    await page.getByTestId('accept').click();
    await page.waitForFunction(() => globalThis.__t?.frame !== undefined, null, { polling: 20, timeout: 60_000 });
    const t = await page.evaluate(() => globalThis.__t);
    const { consultation } = await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'live' && g.media?.path), 30);
    paths.add(consultation.guests.find((g) => g.state === 'live').media.relayed ? 'relayed' : 'direct');
    if (values.steps)
      console.error(Object.entries(t).sort((a, b) => a[1] - b[1]).map(([name, at]) => `${name} ${Math.round(at - t.click)}`).join(', '));
    if (run >= 0) all.push(Math.round(t.frame - t.click));
    await page.getByTestId('back').click();
    await doctor.stateWhere((s) => s.consultation?.calls.at(-1)?.state === 'ended' && !s.consultation.guests.some((g) => g.state === 'live'), 60);
  }
  console.log(JSON.stringify({
    bench: 'accept-to-frame', ours: median(all), peer: null, peer_name: null, unit: 'ms', ratio: null, better: 'lower',
    link: values.link, nat: values.nat, path: [...paths], worst: Math.max(...all), all,
  }));
} finally {
  await region.close();
}
process.exit(0);
