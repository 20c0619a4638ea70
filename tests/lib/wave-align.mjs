// How far waves on a specialist's page are from the picture beside them, measured on what is on screen: the
// picture's barcode says when it was taken, a ramp of one unit a second says when a column was.

import { median } from './figures.mjs';

// What a monitor sends as V6.
export const ramp = (t) => t % 1;

// In the page: what stands in the columns of a row. `ink` has colour, `hatch` has none.
export function readTraces() {
  globalThis.rowOf = (label) => {
    const name = document.querySelector(`[data-testid="wave-row-${label}"]`);
    const screen = document.querySelector('[data-testid=wave-screen]');
    const canvas = document.querySelector('[data-testid=wave-ink]');
    const [top, height] = [Number(name.dataset.top), Number(name.dataset.height)];
    const { data, width } = canvas.getContext('2d').getImageData(0, top, canvas.width, height);
    const columns = Array.from({ length: width }, (_, x) => {
      const column = { top: null, bottom: null, hatched: false };
      for (let y = 0; y < height; y++) {
        const [r, g, b, a] = data.slice((y * width + x) * 4, (y * width + x) * 4 + 4);
        if (a < 100) continue;
        if (Math.max(r, g, b) - Math.min(r, g, b) < 40) column.hatched = true;
        else {
          column.top ??= y;
          column.bottom = y;
        }
      }
      return column;
    });
    return { columns, pxPerMm: Number(screen.dataset.pxPerMm), speed: Number(name.dataset.speed) };
  };
}

// In the page: so many looks at what the picture and the column at the beam say.
function look(times) {
  const video = document.querySelector('video[data-testid=video-source-room]');
  const strip = Object.assign(document.createElement('canvas'), { width: 320, height: 5 }).getContext('2d', { willReadFrequently: true });
  // test_scene.h: 24 bits and 8 of check along the lowest 1/36 of the picture; here ms of the capture.
  const shown = () => {
    const [w, h] = [video.videoWidth, video.videoHeight];
    strip.drawImage(video, 0, (h * 35) / 36, w, h / 36, 0, 0, 320, 5);
    const { data } = strip.getImageData(0, 3, 320, 1);
    let code = 0;
    for (let bit = 0; bit < 32; bit++) code = code * 2 + (data[(bit * 10 + 5) * 4] > 125 ? 1 : 0);
    const number = Math.floor(code / 256);
    return (Math.imul(number, 0x9e3779b1) >>> 24) === code % 256 ? number : null;
  };
  const beam = () => {
    const { columns } = globalThis.rowOf('V6');
    const there = columns.map((c) => c.top !== null);
    // The beam: ink, and then the bar that erases.
    const at = there.findIndex((ink, x) => ink && !there[x + 1] && !there[x + 3] && !there[(x + 8) % there.length]);
    if (at < 2) return null;
    const { top, bottom } = columns[at];
    const lows = columns.filter((c) => c.bottom !== null).map((c) => c.bottom), highs = columns.filter((c) => c.top !== null).map((c) => c.top);
    const [low, high] = [Math.max(...lows), Math.min(...highs)];
    return { part: (low - (top + bottom) / 2) / (low - high) };
  };
  return new Promise((done) => {
    const list = [];
    const one = () => {
      const [number, wave] = [shown(), beam()];
      // A frame is what is shown till the next one: its middle age is half an interval.
      if (number !== null && wave !== null) list.push({ number, part: wave.part, wall: performance.timeOrigin + performance.now() });
      if (list.length >= times) done(list);
      else setTimeout(() => requestAnimationFrame(one), 130);
    };
    one();
  });
}

// Milliseconds by which the waves show a later moment than the picture: median, and within which nine of ten lie.
// began: when the ramp was 0, Date.now().
export async function alignment(page, began, times = 60) {
  const seen = await page.evaluate(look, times);
  const apart = seen.map(({ number, part, wall }) => {
    const age = (((Math.round(wall) % 2 ** 24) - number) + 2 ** 24) % 2 ** 24;
    const pictureMs = wall - age;
    // When the ramp has this height: the nearest such moment to that of the picture.
    const second = ((pictureMs - began) / 1000) % 1;
    let off = part - second;
    off -= Math.round(off);
    return off * 1000;
  });
  const sorted = apart.map(Math.abs).sort((a, b) => a - b);
  return { median: median(apart), ninety: sorted[Math.floor(sorted.length * 0.9)] };
}
