// Each fuzz harness finds a bug that was planted for the purpose: a check of a length or a type, left
// out as somebody might. Works on a copy of what is committed.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../lib/station.mjs';

const SECONDS = 300;
const bugs = {
  sdp: ['media/transport/sdp_parse.c', 'sdp_to_uint (word, 127, &pt)', 'sdp_to_uint (word, 255, &pt)'],
  rtp: ['media/rtp/rtp.c', 'size < offset + 4 + ext_size', 'size < offset + 4'],
  rtcp: ['media/rtp/rtcp_read.c', 'size < head + 24u * count', 'size < head'],
  hl7: ['media/devices/hl7_message.c', 'memchr (at, message->escape, end - at)', 'memchr (at, message->escape, end - at + 2)'],
  protocol: ['station/request.c', 'text == NULL || !text_is_clean', '!text_is_clean'],
};

const copy = mkdtempSync(join(tmpdir(), 'nhipcau-planted-'));
const build = join(copy, 'build-fuzz');
const run = (command, args, options = {}) =>
  execFileSync(command, args, { cwd: copy, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 28, ...options });

before(() => {
  run('sh', ['-c', `git -C '${root}' archive HEAD | tar -x`]);
  run('meson', ['setup', build, '-Dfuzz=true', '-Dpages=false', '-Db_sanitize=address,undefined', '-Db_lundef=false'],
    { env: { ...process.env, CC: 'clang' } });
}, { timeout: 10 * 60_000 });
after(() => rmSync(copy, { recursive: true, force: true }));

for (const [harness, [file, good, bad]] of Object.entries(bugs))
  test(`a bug in ${file} is found by fuzz-${harness}`, { timeout: (SECONDS + 600) * 1000 }, () => {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    assert.equal(text.split(good).length, 2, `${file} has this once: ${good}`);
    writeFileSync(path, text.replace(good, bad));
    try {
      const program = `tests/fuzz/fuzz-${harness}`;
      run('ninja', ['-C', build, program]);
      const found = join(copy, `found-${harness}`);
      mkdirSync(found);
      const { status, stderr } = spawnSync(join(build, program),
        [found, join(root, 'tests/fuzz/corpus', harness), `-max_total_time=${SECONDS}`, '-seed=1', '-detect_leaks=0', `-artifact_prefix=${found}-`],
        { cwd: copy, encoding: 'utf8', maxBuffer: 1 << 28 });
      assert.notEqual(status, 0, 'nothing was found');
      assert.match(stderr, /AddressSanitizer: (\S+-buffer-overflow|SEGV)|runtime error/);
    } finally {
      writeFileSync(path, text);
    }
  });
