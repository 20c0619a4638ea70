// The dependency direction is the house's frame: certs <- {media, records} <- station. A header
// that crosses the wrong way, or a third-party header outside its one folder, fails here.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const root = resolve(new URL('../..', import.meta.url).pathname);

const mayInclude = {
  certs: ['certs'],
  media: ['certs', 'media'],
  records: ['certs', 'records'],
  station: ['certs', 'media', 'records', 'station'],
};

// Third-party headers, except GLib's, OpenSSL's and jansson's, belong to exactly one folder.
const onlyIn = [
  [/^(nice\/|stun\/|agent\.h)/, 'media/transport'],
  [/^jose\//, 'certs', 'station/rendezvous'], // tokens of others; our own envelopes
  [/^fido/, 'certs'],
  [/^tss2\//, 'certs'],
  [/^liboath\//, 'station'],
  [/^srtp2?\//, 'media/transport'],
  [/^usrsctp/, 'media/transport'],
  [/^gst\//, 'media'],
  [/^sqlite3/, 'records'],
  [/^libwebsockets/, 'station'],
  [/^qrencode/, 'station'],
  [/^(cairo|pango\/|fontconfig\/)/, 'station/papers'],
  [/^curl\//, 'station'],
  [/^mosquitto/, 'station/rendezvous'],
  [/^opus\//, 'media/capture'],
  [/^libudev/, 'media/devices'],
  [/^(libsoup|libxml)\//, 'media/onvif'],
  [/^(dcmtk\/|seccomp|zlib|jpeglib|openjpeg)/, 'media/dicom'],
];

function* sources(dir) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    if (name === 'node_modules') continue;
    if (statSync(path).isDirectory()) yield* sources(path);
    else if (/\.([ch]|cc)$/.test(name)) yield path;
  }
}

function* includes(path) {
  for (const match of readFileSync(path, 'utf8').matchAll(/^\s*#\s*include\s+([<"])([^>"]+)[>"]/gm))
    yield { quoted: match[1] === '"', header: match[2] };
}

export function violations(folder, file, found) {
  const bad = [];
  for (const { quoted, header } of found) {
    const top = header.split('/')[0];
    if (quoted && top in mayInclude && !mayInclude[folder].includes(top))
      bad.push(`${file} includes ${header}: ${folder} may include ${mayInclude[folder].join(', ')} only`);
    for (const [pattern, ...homes] of onlyIn)
      if (!quoted && pattern.test(header) && !homes.some((home) => file.startsWith(`${home}/`)))
        bad.push(`${file} includes <${header}>, which belongs to ${homes.join(' and ')}`);
  }
  return bad;
}

for (const folder of Object.keys(mayInclude))
  test(`${folder} includes only what its place allows`, () => {
    const bad = [];
    let files = 0;
    for (const path of sources(join(root, folder))) {
      files++;
      bad.push(...violations(folder, relative(root, path), includes(path)));
    }
    assert.ok(files > 0, `no source found in ${folder}`);
    assert.deepEqual(bad, []);
  });

test('a header that crosses the wrong way is found', () => {
  const line = (header, quoted) => [{ header, quoted }];
  assert.equal(violations('media', 'media/frame.c', line('records/store.h', true)).length, 1);
  assert.equal(violations('records', 'records/store.c', line('media/frame.h', true)).length, 1);
  assert.equal(violations('certs', 'certs/identity.c', line('station/config.h', true)).length, 1);
  assert.equal(violations('media', 'media/rtp/rtp.c', line('nice/agent.h', false)).length, 1);
  assert.equal(violations('station', 'station/main.c', line('records/store.h', true)).length, 0);
});

test('the top level holds what was agreed on and nothing else', () => {
  const allowed = new Set(['station', 'media', 'records', 'certs', 'tests', 'docs', 'meson.build',
    'meson_options.txt', 'README.md', 'LICENSE']);
  const odd = readdirSync(root).filter((n) => !allowed.has(n) && !n.startsWith('.') && !/^build/.test(n));
  assert.deepEqual(odd, []);
});
