// Real browsers for the tests: Debian's Chromium by playwright-core, Debian's Firefox by
// puppeteer-core (WebDriver BiDi). They trust the test's CA as a user's browser would, by its own
// certificate store; certificate errors are never ignored.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';

function trust(database, authorities, servers = []) {
  mkdirSync(database, { recursive: true });
  const certutil = (...args) => execFileSync('certutil', ['-d', `sql:${database}`, ...args], { stdio: 'pipe' });
  certutil('-N', '--empty-password');
  for (const file of authorities) certutil('-A', '-t', 'C,,', '-n', file, '-i', file);
  for (const file of servers) certutil('-A', '-t', 'P,,', '-n', file, '-i', file);
}

const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-quic', '--disable-gpu', '--disable-features=Translate,OptimizationHints'];

// The program by a name of its own. It dies with us, however we end: what a test leaves behind slows all that
// follow.
function wrap(home, program, netns) {
  const wrapper = join(home, program);
  writeFileSync(wrapper, `#!/bin/sh
exec setpriv --pdeathsig KILL ${netns ? `ip netns exec ${netns} ` : ''}/usr/bin/${program} "$@"
`, { mode: 0o755 });
  return wrapper;
}

// Closes it; by force when it does not answer.
async function end(close, kill, home) {
  let timer;
  const patience = new Promise((done) => { timer = setTimeout(() => { kill(); done(); }, 20_000); });
  await Promise.race([close().catch(kill), patience]);
  clearTimeout(timer);
  rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

// A Chromium with a profile of its own. options.netns: run inside that network namespace;
// options.devices: false for a machine without camera and microphone.
export async function openChromium({ ca, relayCa, alsoTrust = [], netns, devices = true, args = [], locale = 'vi-VN', viewport } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'nhipcau-chromium-'));
  trust(join(home, '.pki/nssdb'), [ca, relayCa].filter(Boolean), alsoTrust);
  const wrapper = wrap(home, 'chromium', netns);
  const profile = join(home, 'profile');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: wrapper, headless: true, chromiumSandbox: false, locale, timeout: 120_000,
    viewport: viewport ?? { width: 1366, height: 768 },
    permissions: devices ? ['camera', 'microphone'] : [],
    env: { ...process.env, HOME: home },
    args: [...quiet, ...(devices
      ? ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] : []), ...args],
  });
  // A page's own waits are bounds against hanging; how fast something must be is asserted where it is meant.
  context.setDefaultTimeout(90_000);
  const close = () => end(() => context.close(), () => {}, home);
  return { context, home, profile, close, page: context.pages()[0] ?? (await context.newPage()) };
}

// A Firefox with a profile of its own; what it returns is puppeteer's browser.
export async function openFirefox({ ca, netns, devices = true, locale = 'vi' } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'nhipcau-firefox-'));
  const profile = join(home, 'profile');
  trust(profile, ca ? [ca] : []);
  const wrapper = wrap(home, 'firefox-esr', netns);
  const browser = await puppeteer.launch({
    browser: 'firefox', executablePath: wrapper, headless: true, userDataDir: profile, timeout: 120_000,
    env: { ...process.env, HOME: home, MOZ_DISABLE_CONTENT_SANDBOX: '1' },
    extraPrefsFirefox: {
      'intl.accept_languages': locale,
      'media.navigator.streams.fake': devices,
      'media.navigator.permission.disabled': devices,
      'media.autoplay.default': 0,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'security.enterprise_roots.enabled': false,
    },
  });
  const close = () => end(() => browser.close(), () => browser.process()?.kill('SIGKILL'), home);
  return { browser, home, profile, close, page: await browser.newPage() };
}

// Put into every page before its own scripts: counts the pictures that each <video> really
// presents, and keeps the peer connections for their statistics.
export function watchMedia() {
  const seen = (globalThis.__media = { connections: [], videos: new Map() });
  const Original = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Original {
    constructor(...args) { super(...args); seen.connections.push(this); }
  };
  const watch = (video) => {
    if (seen.videos.has(video)) return;
    const record = { frames: 0, first: null, prints: new Set() };
    seen.videos.set(video, record);
    const canvas = document.createElement('canvas');
    canvas.width = 32; canvas.height = 18;
    const look = (now) => {
      record.frames++;
      record.first ??= now;
      if (record.frames % 10 === 1) {
        const context = canvas.getContext('2d', { willReadFrequently: true });
        context.drawImage(video, 0, 0, 32, 18);
        const { data } = context.getImageData(0, 0, 32, 18);
        let print = 0;
        for (let i = 0; i < data.length; i++) print = (print * 31 + data[i]) | 0;
        record.prints.add(print);
      }
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  };
  const scan = () => document.querySelectorAll('video').forEach(watch);
  new MutationObserver(scan).observe(document, { childList: true, subtree: true });
}

// What a page presents and hears now: frames and different pictures by video's test id, energy of
// received audio, codecs.
export async function mediaNow(page) {
  return page.evaluate(async () => {
    const videos = {};
    for (const [video, { frames, prints }] of globalThis.__media.videos) {
      if (!video.isConnected) continue;
      const name = video.dataset.stream ?? video.dataset.testid ?? 'video';
      videos[name] = { frames, pictures: prints.size, width: video.videoWidth, height: video.videoHeight };
    }
    let energy = 0;
    const codecs = new Set();
    for (const connection of globalThis.__media.connections) {
      if (connection.connectionState === 'closed') continue;
      const report = await connection.getStats();
      for (const stat of report.values()) {
        if (stat.type !== 'inbound-rtp') continue;
        energy += stat.totalAudioEnergy ?? 0;
        const codec = report.get(stat.codecId)?.mimeType;
        if (codec && (stat.packetsReceived ?? 0) > 0) codecs.add(codec);
      }
    }
    return { videos, energy, codecs: [...codecs] };
  });
}

// A bound is there against waiting for ever: a machine that does other things besides may take so many times
// what one alone takes. Where speed is what a test shows, it is measured and asserted.
export const PATIENCE = 3;

// Waits until look() gives something truthy; fails with what it gave last. seconds: enough on a machine alone.
export async function eventually(look, seconds = 20, what = 'condition') {
  const end = Date.now() + seconds * 1000 * PATIENCE;
  for (;;) {
    const result = await look().catch((error) => ({ error }));
    if (result && !result.error) return result;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds * PATIENCE} s (${JSON.stringify(result?.error?.message ?? result)})`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
