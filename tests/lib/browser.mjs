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

// A Chromium with a profile of its own. options.netns: run inside that network namespace;
// options.devices: false for a machine without camera and microphone.
export async function openChromium({ ca, relayCa, alsoTrust = [], netns, devices = true, args = [], locale = 'vi-VN', viewport } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'nhipcau-chromium-'));
  trust(join(home, '.pki/nssdb'), [ca, relayCa].filter(Boolean), alsoTrust);
  const wrapper = join(home, 'chromium');
  writeFileSync(wrapper, `#!/bin/sh
exec ${netns ? `ip netns exec ${netns} ` : ''}/usr/bin/chromium "$@"
`, { mode: 0o755 });
  const profile = join(home, 'profile');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: wrapper, headless: true, chromiumSandbox: false, locale,
    viewport: viewport ?? { width: 1366, height: 768 },
    permissions: devices ? ['camera', 'microphone'] : [],
    env: { ...process.env, HOME: home },
    args: [...quiet, ...(devices
      ? ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] : []), ...args],
  });
  const close = async () => {
    await context.close();
    rmSync(home, { recursive: true, force: true });
  };
  return { context, home, profile, close, page: context.pages()[0] ?? (await context.newPage()) };
}

// A Firefox with a profile of its own; what it returns is puppeteer's browser.
export async function openFirefox({ ca, netns, devices = true, locale = 'vi' } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'nhipcau-firefox-'));
  const profile = join(home, 'profile');
  trust(profile, ca ? [ca] : []);
  const wrapper = join(home, 'firefox');
  writeFileSync(wrapper, `#!/bin/sh
exec ${netns ? `ip netns exec ${netns} ` : ''}/usr/bin/firefox-esr "$@"
`, { mode: 0o755 });
  const browser = await puppeteer.launch({
    browser: 'firefox', executablePath: wrapper, headless: true, userDataDir: profile,
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
  const close = async () => {
    await browser.close();
    rmSync(home, { recursive: true, force: true });
  };
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

// Waits until look() gives something truthy; fails with what it gave last.
export async function eventually(look, seconds = 20, what = 'condition') {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const result = await look().catch((error) => ({ error }));
    if (result && !result.error) return result;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s (${JSON.stringify(result?.error?.message ?? result)})`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
