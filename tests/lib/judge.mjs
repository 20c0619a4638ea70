// Judges a video in a page against moving_scene.h's picture, as docs/benchmarks.md says: SSIM of what is
// shown at each instant against what an ideal link would show, delay of each frame, freezes.

import { readFile } from 'node:fs/promises';
import { mean } from './figures.mjs';

export const PICTURE = { width: 640, height: 360, rate: 15, period: 150 };
const SIZE = { width: 320, height: 180 };

// Luma of every frame at half size, one after the other.
export async function references(file) {
  const { width, height, period } = PICTURE;
  const frames = await readFile(file);
  const small = Buffer.alloc(SIZE.width * SIZE.height * period);
  let to = 0;
  for (let n = 0; n < period; n++)
    for (let y = 0; y < height; y += 2) {
      let at = n * width * height * 1.5 + y * width;
      for (let x = 0; x < width; x += 2, at += 2)
        small[to++] = (frames[at] + frames[at + 1] + frames[at + width] + frames[at + width + 1] + 2) >> 2;
    }
  return small.toString('base64');
}

// In the page: watches a <video>, and in its place an <img> over it, as long as there is one (a still).
function judge() {
  const self = (globalThis.__judge = { samples: [], sharp: [], frames: [], stills: 0 });
  const wall = (at = performance.now()) => performance.timeOrigin + at;
  const canvas = (width, height) => {
    const made = Object.assign(document.createElement('canvas'), { width, height });
    return made.getContext('2d', { willReadFrequently: true });
  };

  // test_scene.h: 24 bits and 8 of check along the lowest 1/36 of the picture; here: ms of its capture.
  const strip = canvas(320, 5);
  const captured = (shown, now) => {
    const w = shown.videoWidth ?? shown.naturalWidth, h = shown.videoHeight ?? shown.naturalHeight;
    strip.drawImage(shown, 0, (h * 35) / 36, w, h / 36, 0, 0, 320, 5);
    const { data } = strip.getImageData(0, 3, 320, 1);
    let code = 0;
    for (let bit = 0; bit < 32; bit++) code = code * 2 + (data[(bit * 10 + 5) * 4] > 125 ? 1 : 0);
    const number = Math.floor(code / 256);
    if ((Math.imul(number, 0x9e3779b1) >>> 24) !== code % 256) return null;
    const age = (((Math.round(now) % 2 ** 24) - number) + 2 ** 24) % 2 ** 24;
    return now - age;
  };

  // Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004: windows of 8×8, every 4 pixels, luma.
  const ssim = (a, b, at, { width, height }) => {
    let sum = 0, windows = 0;
    for (let y = 0; y + 8 <= height; y += 4)
      for (let x = 0; x + 8 <= width; x += 4) {
        let sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
        for (let v = 0; v < 8; v++) {
          let i = (y + v) * width + x;
          for (let u = 0; u < 8; u++, i++) {
            const p = a[i], q = b[at + i];
            sa += p; sb += q; saa += p * p; sbb += q * q; sab += p * q;
          }
        }
        const ma = sa / 64, mb = sb / 64;
        const va = saa / 64 - ma * ma, vb = sbb / 64 - mb * mb, cov = sab / 64 - ma * mb;
        sum += ((2 * ma * mb + 6.5025) * (2 * cov + 58.5225)) / ((ma * ma + mb * mb + 6.5025) * (va + vb + 58.5225));
        windows++;
      }
    return sum / windows;
  };

  // video, still: selectors. way: ms that the link takes at least. Every 100 ms from now on.
  self.start = ({ video: videoSelector, still, frames, way, rate, period, width, height }) => {
    const video = document.querySelector(videoSelector);
    const image = () => {
      const found = still && document.querySelector(still);
      return found?.complete && found.naturalWidth > 0 ? found : null;
    };
    self.begun = wall();
    let last;
    const reference = Uint8Array.from(atob(frames), (letter) => letter.charCodeAt(0));
    const picture = canvas(width, height), luma = new Uint8Array(width * height);
    const step = 1000 / rate, count = width * height;
    // When this sender's camera takes its frames, within a step: the newest that an ideal link would have here.
    let phase = 0;
    let own = null; // which of the scene's pictures is shown
    const due = (now) => {
      const taken = Math.floor((now - way - phase) / step) * step + phase;
      return Math.floor(taken / step + 1e-6) % period;
    };
    const note = (shown) => {
      const now = wall(), at = captured(shown, now);
      if (at !== null) phase = at % step;
      own = at === null ? null : Math.floor(at / step + 1e-6) % period;
      self.frames.push({ now, delay: at === null ? null : now - at });
    };
    const seen = () => {
      if (!image()) note(video);
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
    self.timer = setInterval(() => {
      const now = wall(), shown = image() ?? video;
      if (shown !== video && shown.src !== last) {
        last = shown.src;
        note(shown);
        self.stills++;
      }
      picture.drawImage(shown, 0, 0, width, height);
      const { data } = picture.getImageData(0, 0, width, height);
      // Back to the range of the coded luma.
      for (let i = 0, j = 0; i < count; i++, j += 4)
        luma[i] = 16.5 + ((0.299 * data[j] + 0.587 * data[j + 1] + 0.114 * data[j + 2]) * 219) / 255;
      const size = { width, height: height - height / 36 - 1 };
      self.samples.push(ssim(luma, reference, due(now) * count, size));
      if (own !== null) self.sharp.push(ssim(luma, reference, own * count, size));
    }, 100);
  };

  self.stop = () => {
    clearInterval(self.timer);
    return { samples: self.samples, sharp: self.sharp, frames: self.frames, stills: self.stills, begun: self.begun, end: wall() };
  };
}

export const judgeScript = judge;

const quantile = (list, share) => {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
};

// Judges what the page shows by that video or in its place, for so many seconds. during: called at the start.
export async function judgePicture(page, { video, still, frames, way, seconds, during = async () => {} }) {
  const { rate, period } = PICTURE;
  await page.evaluate((options) => globalThis.__judge.start(options), { video, still, frames, way, rate, period, ...SIZE });
  await during();
  await new Promise((done) => setTimeout(done, seconds * 1000)); // the run's length
  const { samples, sharp, frames: seen, stills, begun, end } = await page.evaluate(() => globalThis.__judge.stop());
  const gaps = seen.map(({ now }, i) => (seen[i + 1]?.now ?? end) - now);
  const delays = seen.map(({ delay }) => delay).filter((delay) => delay !== null);
  // Pictures that came seconds late: when the first and the last of them were shown, seconds into the run, and how many.
  const late = seen.filter(({ delay }) => delay > 2000).map(({ now }) => (now - begun) / 1000);
  const round = (value, digits) => (value === null ? null : Number(value.toFixed(digits)));
  return {
    ssim: round(mean(samples), 4),
    sharp: round(mean(sharp), 4), // against itself as it was captured, however late it is
    delay_p95: round(quantile(delays, 0.95), 0), delay_median: round(quantile(delays, 0.5), 0),
    fps: round(seen.length / seconds, 1), freezes: gaps.filter((gap) => gap > 500).length,
    frozen_s: round(gaps.filter((gap) => gap > 500).reduce((sum, gap) => sum + gap, 0) / 1000, 1),
    ...(late.length > 0 && { late: [round(late[0], 1), round(late.at(-1), 1), late.length] }),
    stills, samples: samples.length, unread: seen.length - delays.length,
  };
}
