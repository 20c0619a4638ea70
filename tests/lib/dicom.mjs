// Sending DICOM objects as a device does, by dcmtk's own tools, and reading what a page gets of them.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';

// Runs a tool; {code, text} with all that it said.
export function tool(command, ...args) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk) => { text += chunk; });
    child.stderr.on('data', (chunk) => { text += chunk; });
    child.once('error', fail);
    child.once('close', (code) => done({ code, text }));
  });
}

// A codestream of JPEG 2000 without loss, by OpenJPEG's own tool. samples: of one component after the other.
export function jpeg2000(samples, { columns, rows, components = 1, bits, signed = false }, ...options) {
  const dir = mkdtempSync(join(tmpdir(), 'nhipcau-j2k-'));
  try {
    const raw = join(dir, 'in.rawl'), out = join(dir, 'out.j2k');
    const bytes = Buffer.alloc(samples.length * (bits > 8 ? 2 : 1));
    samples.forEach((n, i) => (bits > 8 ? bytes.writeUInt16LE(n & 0xffff, 2 * i) : bytes.writeUInt8(n & 0xff, i)));
    writeFileSync(raw, bytes);
    execFileSync('opj_compress', ['-i', raw, '-o', out, '-F', [columns, rows, components, bits, signed ? 's' : 'u'].join(','), ...options],
      { stdio: 'pipe' });
    return readFileSync(out);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

// A device: echo(), store(file, …), storeBytes(buffer, …).
export function device(title, port, called = 'NHIPCAU') {
  const dir = mkdtempSync(join(tmpdir(), 'nhipcau-dicom-'));
  let n = 0;
  const who = ['-aet', title, '-aec', called, '-to', '10'];
  const self = {
    echo: () => tool('echoscu', ...who, '127.0.0.1', String(port)),
    store: (files, ...options) => tool('storescu', '-v', ...who, ...options, '127.0.0.1', String(port), ...[files].flat()),
    file: (bytes) => {
      const path = join(dir, `${++n}.dcm`);
      writeFileSync(path, bytes);
      return path;
    },
    storeBytes: (objects, ...options) => self.store([objects].flat().map(self.file), ...options),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
  return self;
}

// "nc1" (docs/protocol.md): stored samples of a grey frame, as they stand in the object.
export function greyOf(bytes, { columns, rows, bits, signed }) {
  const planes = inflateSync(bytes), n = columns * rows, out = new Int32Array(n), moved = new Uint16Array(n);
  for (let i = 0; i < n; i++) {
    const coded = planes[i] | (planes[n + i] << 8);
    const step = (coded >>> 1) ^ -(coded & 1);
    moved[i] = (i % columns ? moved[i - 1] : i ? moved[i - columns] : 0) + step;
    out[i] = moved[i] - (signed ? 1 << (bits - 1) : 0);
  }
  return out;
}

// The same of a colour frame: red, green, blue by turns.
export function colourOf(bytes, { columns, rows }) {
  const planes = inflateSync(bytes), n = columns * rows, out = new Uint8Array(3 * n);
  for (let plane = 0; plane < 3; plane++)
    for (let i = 1; i < n; i++)
      planes[plane * n + i] += planes[plane * n + (i % columns ? i - 1 : i - columns)];
  for (let i = 0; i < n; i++) {
    out[3 * i] = planes[n + i] + planes[i];
    out[3 * i + 1] = planes[i];
    out[3 * i + 2] = planes[2 * n + i] + planes[i];
  }
  return out;
}
