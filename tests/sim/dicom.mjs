// Objects as an ultrasound and an X-ray send them, with pixels that a test knows: PS3.5 explicit VR
// little endian in a file of PS3.10, written here byte by byte so that the program is read against
// something else than its own library.

import { randomUUID } from 'node:crypto';

const LONG = new Set(['OB', 'OW', 'SQ', 'UN', 'UT', 'OF']);
const JPEG2000 = '1.2.840.10008.1.2.4.90'; // lossless only
const US = '1.2.840.10008.5.1.4.1.1.3.1', CR = '1.2.840.10008.5.1.4.1.1.1';
const EXPLICIT = '1.2.840.10008.1.2.1';

// PS3.5 §B.2: a UID made of a UUID.
export const uid = () => `2.25.${BigInt('0x' + randomUUID().replaceAll('-', ''))}`;

// PS3.5 §A.4: pixels in fragments, the frames' begins before them. frames: [[fragment, …], …].
function fragments(frames) {
  const item = (body) => {
    const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]), padded = body.length % 2 ? Buffer.concat([body, Buffer.alloc(1)]) : body;
    head.writeUInt32LE(padded.length, 4);
    return Buffer.concat([head, padded]);
  };
  const bodies = frames.map((frame) => Buffer.concat(frame.map(item)));
  const table = Buffer.alloc(4 * frames.length);
  bodies.reduce((at, body, i) => { table.writeUInt32LE(at, 4 * i); return at + body.length; }, 0);
  return Buffer.concat([item(table), ...bodies, Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0])]);
}

function bytesOf(vr, value) {
  if (value.frames) return fragments(value.frames);
  if (Buffer.isBuffer(value)) return value;
  const list = Array.isArray(value) ? value : [value];
  const numbers = (size, put) => Buffer.concat(list.map((n) => { const b = Buffer.alloc(size); b[put](n); return b; }));
  switch (vr) {
    case 'US': return numbers(2, 'writeUInt16LE');
    case 'SS': return numbers(2, 'writeInt16LE');
    case 'UL': return numbers(4, 'writeUInt32LE');
    case 'FD': return numbers(8, 'writeDoubleLE');
    case 'SQ': return Buffer.concat(list.map((item) => {
      const body = dataset(item), head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
      head.writeUInt32LE(body.length, 4);
      return Buffer.concat([head, body]);
    }));
    default: {
      const text = Buffer.from(list.join('\\'));
      return text.length % 2 ? Buffer.concat([text, Buffer.from(vr === 'UI' ? '\0' : ' ')]) : text;
    }
  }
}

// elements: [[group, element, VR, value]]
export function dataset(elements) {
  const sorted = [...elements].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return Buffer.concat(sorted.flatMap(([group, element, vr, value]) => {
    const body = bytesOf(vr, value);
    const head = Buffer.alloc(LONG.has(vr) ? 12 : 8);
    head.writeUInt16LE(group, 0);
    head.writeUInt16LE(element, 2);
    head.write(vr, 4, 'latin1');
    if (LONG.has(vr)) head.writeUInt32LE(value.frames ? 0xffffffff : body.length, 8);
    else head.writeUInt16LE(body.length, 6);
    return [head, body];
  }));
}

export function file(sopClass, instance, elements, syntax = EXPLICIT) {
  const meta = dataset([[2, 1, 'OB', Buffer.from([0, 1])], [2, 2, 'UI', sopClass], [2, 3, 'UI', instance],
    [2, 0x10, 'UI', syntax], [2, 0x12, 'UI', '2.25.1']]);
  const length = dataset([[2, 0, 'UL', meta.length]]);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, meta,
    dataset([[8, 0x16, 'UI', sopClass], [8, 0x18, 'UI', instance], ...elements])]);
}

const about = ({ patient = {}, study = uid(), series = uid(), modality, number = 1 }) => [
  [8, 5, 'CS', 'ISO_IR 192'], [8, 0x60, 'CS', modality], [8, 0x20, 'DA', '20261120'], [8, 0x30, 'TM', '090312'],
  [8, 0x23, 'DA', '20261120'], [8, 0x33, 'TM', '090415'], [8, 0x1030, 'LO', 'Siêu âm bụng'],
  [0x10, 0x10, 'PN', patient.name ?? ''], [0x10, 0x20, 'LO', patient.id ?? ''],
  [0x20, 0x0d, 'UI', study], [0x20, 0x0e, 'UI', series], [0x20, 0x11, 'IS', '1'], [0x20, 0x13, 'IS', String(number)],
];

// The colour of a pixel of the simulated ultrasound, frame by frame: a fan of grey with a coloured
// patch that wanders.
export function ultrasoundPixel(frame, x, y) {
  const grey = (x * 3 + y * 5 + frame * 11) & 0xff;
  const patch = Math.abs(x - (10 + frame * 4)) < 5 && Math.abs(y - 20) < 5;
  return patch ? [220, 40 + frame, 30] : [grey, grey, grey];
}

// A clip: RGB, 25 frames a second, calibrated in centimetres. codestreams: of each frame, in fragments, instead of its pixels.
export function ultrasound({ columns = 96, rows = 64, frames = 12, frameMs = 40, deltaCm = 0.05, codestreams, ...options } = {}) {
  const pixels = Buffer.alloc(columns * rows * 3 * frames);
  let at = 0;
  for (let f = 0; f < frames; f++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) for (const c of ultrasoundPixel(f, x, y)) pixels[at++] = c;
  const instance = options.instance ?? uid();
  return { instance, columns, rows, frames, bytes: file(US, instance, [
    ...about({ modality: 'US', ...options }),
    [0x18, 0x1063, 'DS', String(frameMs)],
    [0x18, 0x6011, 'SQ', [[[0x18, 0x6012, 'US', 1], [0x18, 0x6014, 'US', 1], [0x18, 0x6016, 'UL', 2],
      [0x18, 0x6018, 'UL', 0], [0x18, 0x601a, 'UL', 0], [0x18, 0x601c, 'UL', columns - 1], [0x18, 0x601e, 'UL', rows - 1],
      [0x18, 0x6024, 'US', 3], [0x18, 0x6026, 'US', 3], [0x18, 0x602c, 'FD', deltaCm], [0x18, 0x602e, 'FD', deltaCm]]]],
    [0x28, 2, 'US', 3], [0x28, 4, 'CS', codestreams ? 'YBR_RCT' : 'RGB'], [0x28, 6, 'US', 0], [0x28, 8, 'IS', String(frames)],
    [0x28, 0x10, 'US', rows], [0x28, 0x11, 'US', columns], [0x28, 0x100, 'US', 8], [0x28, 0x101, 'US', 8],
    [0x28, 0x102, 'US', 7], [0x28, 0x103, 'US', 0], [0x7fe0, 0x10, 'OB', codestreams ? { frames: codestreams } : pixels]],
  codestreams && JPEG2000) };
}

// The stored value of a pixel of the simulated X-ray: 12 bit, signed, all of the range is used.
export const xrayPixel = (x, y) => ((x * 37 + y * 101) % 4096) - 2048;

// Tables for it: an S of 12 bits for values from -1000 on, and one of 8 bits, two entries a word, for values from 0 on.
export const xrayTables = [
  { name: 'S', first: -1000, bits: 12, entries: Array.from({ length: 2048 }, (_, i) => Math.round(4095 / (1 + Math.exp((1024 - i) / 180)))) },
  { name: '', first: 0, bits: 8, entries: Array.from({ length: 256 }, (_, i) => 255 - i) },
];

// PS3.3 §C.11.2.1.1: the shade, 0 … 255, of a stored value.
export function xrayShade(stored, { first, bits, entries }) {
  const at = Math.min(entries.length - 1, Math.max(0, stored * 2 + 100 - first));
  return entries[at] * 255 / (2 ** bits - 1);
}

function tableItem({ name, first, bits, entries }) {
  const packed = bits === 8 ? Buffer.from(entries) : Buffer.concat(entries.map((n) => { const b = Buffer.alloc(2); b.writeUInt16LE(n); return b; }));
  return [[0x28, 0x3002, 'SS', [entries.length, first, bits]], ...(name ? [[0x28, 0x3003, 'LO', name]] : []), [0x28, 0x3006, 'OW', packed]];
}

// One frame: 12 bit signed in 16, slope 2, intercept 100; overlay bits above are set, to be ignored. codestream: of its
// samples, instead of them; tables: how its values are to be shown.
export function xray({ columns = 80, rows = 60, spacing = 0.2, codestream, tables, ...options } = {}) {
  const pixels = Buffer.alloc(columns * rows * 2);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++)
      pixels.writeUInt16LE((xrayPixel(x, y) & 0x0fff) | (x % 2 ? 0xf000 : 0), (y * columns + x) * 2);
  const instance = options.instance ?? uid();
  return { instance, columns, rows, frames: 1, bytes: file(CR, instance, [
    ...about({ modality: 'CR', ...options }),
    [0x28, 2, 'US', 1], [0x28, 4, 'CS', 'MONOCHROME2'], [0x28, 0x10, 'US', rows], [0x28, 0x11, 'US', columns],
    [0x28, 0x30, 'DS', [String(spacing), String(spacing)]],
    [0x28, 0x100, 'US', 16], [0x28, 0x101, 'US', 12], [0x28, 0x102, 'US', 11], [0x28, 0x103, 'US', 1],
    [0x28, 0x1050, 'DS', '300'], [0x28, 0x1051, 'DS', '1000'], [0x28, 0x1052, 'DS', '100'], [0x28, 0x1053, 'DS', '2'],
    ...(tables ? [[0x28, 0x3010, 'SQ', tables.map(tableItem)]] : []),
    [0x7fe0, 0x10, ...(codestream ? ['OB', { frames: [[codestream]] }] : ['OW', pixels])]], codestream && JPEG2000) };
}
