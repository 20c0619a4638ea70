// A bench of the picture's quality on a link (link.mjs): the station, a Chromium and webrtcbin send the
// same picture from the clinic to a Chromium in the hospital, one after the other over the same link.
// Only pictures are sent: webrtcbin's peer has no sound, and on 128 kbit/s that would decide.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openChromium } from './browser.mjs';
import { mean } from './figures.mjs';
import { judgePicture, judgeScript, PICTURE, references } from './judge.mjs';
import { makeLink } from './link.mjs';
import { buildDir, line, root, start, stop } from './station.mjs';

const RAW_ADDRESSES = ['--disable-features=WebRtcHideLocalIpsWithMdns']; // either browser's own, no mDNS over the link
const WARM_UP = 10; // seconds in which a sender finds out what the link carries
// webrtcbin in GStreamer 1.22 has no congestion control; its rate is set by hand to what fits. With 0.75 of
// mountain-4g its retransmissions fill the link and hardly a frame is shown.
const SHARE_BY_HAND = 0.6, MOST_BY_HAND = 2500;

// In a page: answers an offer and shows what comes.
function receive() {
  const pc = (globalThis.pc = new RTCPeerConnection());
  pc.ontrack = ({ track, receiver }) => {
    receiver.jitterBufferTarget = 0;
    const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true });
    video.srcObject = new MediaStream([track]);
    document.body.append(video);
  };
  pc.onicecandidate = ({ candidate }) => candidate?.candidate && globalThis.signal({ type: 'candidate', line: candidate.candidate });
  globalThis.take = async (message) => {
    if (message.type === 'candidate') return void (await pc.addIceCandidate({ candidate: message.line, sdpMLineIndex: 0 }));
    if (message.type !== 'offer') return;
    await pc.setRemoteDescription({ type: 'offer', sdp: message.sdp });
    await pc.setLocalDescription();
    await globalThis.signal({ type: 'answer', sdp: pc.localDescription.sdp });
  };
}

// In a page: moving_scene.h's picture from its frames, its time as a barcode; offered to the other side.
async function send({ width, height, rate, period }) {
  const frames = new Uint8Array(await (await fetch('/frames')).arrayBuffer());
  const size = width * height * 1.5, step = 1000 / rate;
  const top = (height - Math.floor(height / 36)) & ~1;
  const track = new MediaStreamTrackGenerator({ kind: 'video' });
  const writer = track.writable.getWriter();
  const mark = (picture, number) => {
    const check = Math.imul(number, 0x9e3779b1) >>> 24;
    for (let x = 0; x < width; x++) {
      const bit = Math.floor((x * 32) / width);
      const one = bit < 24 ? (number >> (23 - bit)) & 1 : (check >> (31 - bit)) & 1;
      picture[top * width + x] = one ? 220 : 30;
    }
    for (let y = top + 1; y < height; y++) picture.copyWithin(y * width, top * width, (top + 1) * width);
  };
  const begun = performance.now();
  let count = 0;
  setInterval(() => {
    while (performance.now() - begun >= count * step) {
      count++;
      const now = Math.round(performance.timeOrigin + performance.now());
      const index = Math.floor((now * rate) / 1000) % period;
      const picture = frames.slice(index * size, (index + 1) * size);
      mark(picture, now % 2 ** 24);
      void writer.write(new VideoFrame(picture, { format: 'I420', codedWidth: width, codedHeight: height, timestamp: now * 1000 }));
    }
  }, 4);
  const pc = (globalThis.pc = new RTCPeerConnection());
  pc.addTrack(track, new MediaStream([track]));
  pc.onicecandidate = ({ candidate }) => candidate?.candidate && globalThis.signal({ type: 'candidate', line: candidate.candidate });
  globalThis.take = (message) => message.type === 'candidate'
    ? pc.addIceCandidate({ candidate: message.line, sdpMLineIndex: 0 }) : pc.setRemoteDescription({ type: 'answer', sdp: message.sdp });
  await pc.setLocalDescription();
  await globalThis.signal({ type: 'offer', sdp: pc.localDescription.sdp });
}

// Each sender: makes the hospital's page show its picture; resolves with the selectors of the video, of a still in its
// place, and how to end. What comes before begin(), the load of the page, goes over the fibre.
const senders = {
  async ours({ link, dir, open, begin }) {
    const clinic = start('node', [join(root, 'tests/sim/one-camera.mjs'), join(dir, 'station'), link.origin], { netns: link.clinic });
    const facts = JSON.parse((await line(clinic, /^\{.*/, 60))[0]);
    clinic.stderr.resume();
    const page = await open({ ca: facts.ca, netns: link.hospital, devices: false });
    await page.goto(facts.link);
    await page.getByTestId('name').fill('BS. Đo');
    await begin();
    await page.getByTestId('join').click();
    return { page, video: '[data-testid=video-source-room]', still: '[data-testid=still-source-room]', end: () => stop(clinic) };
  },

  async Chromium({ link, open, frames, begin }) {
    const page = await open({ netns: link.hospital, devices: false, args: RAW_ADDRESSES });
    const sender = await open({ netns: link.clinic, devices: false, args: RAW_ADDRESSES });
    await sender.route('http://localhost:9/**', (route) => route.request().url().endsWith('/frames')
      ? route.fulfill({ path: frames }) : route.fulfill({ body: '<!doctype html><title>sender</title>', contentType: 'text/html' }));
    await sender.goto('http://localhost:9/');
    const pass = (from, to) => from.exposeFunction('signal', (message) => to.evaluate((one) => globalThis.take(one), message));
    await pass(sender, page);
    await pass(page, sender);
    await page.evaluate(receive);
    await begin();
    await sender.evaluate(send, PICTURE);
    return { page, video: 'video' };
  },

  async webrtcbin({ link, open, begin }) {
    const page = await open({ netns: link.hospital, devices: false, args: RAW_ADDRESSES });
    await begin();
    const kbit = Math.round(Math.min(link.profile.up.rate * SHARE_BY_HAND / 1000, MOST_BY_HAND));
    const child = start(join(buildDir, 'tests/bench/webrtcbin-peer'), ['--moving', '--nack', '--bitrate', String(kbit)],
      { netns: link.clinic, stdio: ['pipe', 'pipe', 'inherit'] });
    const say = (message) => child.stdin.write(`${JSON.stringify(message)}\n`);
    await page.exposeFunction('signal', say);
    await page.evaluate(receive);
    createInterface({ input: child.stdout }).on('line', (text) => {
      const message = JSON.parse(text);
      if (message.type === 'ready') say({ type: 'start' });
      else page.evaluate((one) => globalThis.take(one), message).catch(() => {});
    });
    return { page, video: 'video', end: () => stop(child) };
  },
};

// Capacity changes of the profile, spread over the run; blackouts and new addresses have benches of their own.
const changes = (link, seconds) => async () => {
  for (const { at, what } of link.profile.events)
    if (['half', 'whole'].includes(what)) link.at(at * seconds / 120, () => link.happen(what));
};

async function measure(sender, { link, profile, seconds, frames, reference, dir }) {
  const browsers = [];
  const open = async (options) => {
    const browser = await openChromium(options);
    browsers.push(browser);
    return browser.page;
  };
  const { page, video, still, end } = await senders[sender]({ link, open, frames, dir, begin: () => link.become(profile) });
  try {
    await page.waitForFunction((chosen) => document.querySelector(chosen)?.videoWidth > 0, video, { timeout: 30_000 });
    await pause(WARM_UP * 1000);
    await page.evaluate(judgeScript);
    const before = await link.stats();
    const figures = await judgePicture(page, { video, still, frames: reference, way: link.profile.up.delay, seconds, during: changes(link, seconds) });
    const after = await link.stats();
    const more = (key) => after.up[key] - before.up[key];
    return { ...figures, kbit: Math.round(more('bytes') * 8 / (after.at - before.at)), full: more('full'), lost: more('lost') };
  } finally {
    for (const browser of browsers) await browser.close();
    await end?.();
  }
}

const round = (value) => Math.round(value * 10000) / 10000;

// One line for each peer, the smaller ratio last. SSIM and its ratio; the rest of the figures under "all".
export async function qualityBench(profile) {
  const { values } = parseArgs({ options: {
    seconds: { type: 'string', default: '60' }, rounds: { type: 'string', default: '1' }, only: { type: 'string' },
  } });
  const seconds = Number(values.seconds);
  const dir = mkdtempSync(join(tmpdir(), 'nhipcau-quality-'));
  const frames = join(dir, 'frames.i420');
  const all = {};
  let link;
  try {
    execFileSync(join(buildDir, 'tests/bench/bench-scene'), [frames]);
    const reference = await references(frames);
    link = await makeLink('fibre');
    for (let round_ = 0; round_ < Number(values.rounds); round_++)
      for (const sender of values.only ? [values.only] : Object.keys(senders)) {
        const figures = await measure(sender, { link, profile, seconds, frames, reference, dir });
        console.error(`${profile} ${sender}: ${JSON.stringify(figures)}`);
        (all[sender] ??= []).push(figures);
        await link.become('fibre');
      }
  } finally {
    await link?.remove();
    rmSync(dir, { recursive: true, force: true });
  }
  const score = (sender) => mean(all[sender].map(({ ssim }) => ssim));
  const peers = all.ours ? Object.keys(all).filter((name) => name !== 'ours') : [];
  const lines = peers.map((peer) => ({
    bench: profile, ours: round(score('ours')), peer: round(score(peer)), peer_name: peer, unit: 'SSIM',
    ratio: round(score('ours') / score(peer)), better: 'higher', all: { ours: all.ours, peer: all[peer] },
  }));
  for (const one of lines.sort((a, b) => b.ratio - a.ratio)) console.log(JSON.stringify(one));
  process.exit(0);
}
