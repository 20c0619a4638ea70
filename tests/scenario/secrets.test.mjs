// What a patient's words and the keys leave behind: nothing in any file, log or core dump, whatever the encoding. What is necessarily
// in memory while a record is open is told, not hidden (docs/torture.md).

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { mllp, reading } from '../lib/mllp.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, root, runStation, stop } from '../lib/station.mjs';

const ROOM = '00A0370000000001';
const words = { name: 'Vàng Thị Mỷ Quỳnh', reason: 'Đau thượng vị dữ dội', note: 'Bụng cứng như gỗ, nghi thủng tạng rỗng',
  draft: 'Chuyển tuyến trước chín giờ', number: '038162009971', conclusion: 'Thủng ổ loét tá tràng' };

// A text as it may lie somewhere: composed and decomposed, UTF-8 and both UTF-16s, small and in JSON's escapes.
const forms = (text) => [text.normalize('NFC'), text.normalize('NFD')].flatMap((one) => {
  const wide = Buffer.from(one, 'utf16le');
  const escaped = one.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [Buffer.from(one), Buffer.from(one.toLowerCase()), wide, Buffer.from(wide).swap16(), Buffer.from(escaped), Buffer.from(Buffer.from(one).toString('base64').replace(/.{2}=*$/, ''))];
});
const patterns = Object.entries(words).flatMap(([what, text]) => forms(text).map((bytes) => ({ what, bytes })));

let at, station, page, consultation, output = '';
before(async () => {
  at = await makePlace('secrets', { config: `[camera room]\naddress=test:\n[device monitor]\nid=${ROOM}\n` });
  station = await runStation(at, { unlock: false });
  for (const stream of [station.stdout, station.stderr]) stream.on('data', (chunk) => { output += chunk.toString('latin1'); });
  page = await signIn(at, 'lan');
  consultation = await startConsultation(page, { reason: words.reason, patient: { name: words.name, birth_year: 1962, personal_number: words.number } });
  await page.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'], by: words.name });
  await page.ask('recording.start');
  await page.ask('note.save', { note: randomUUID(), kind: 'examination', text: words.note });
  await page.ask('note.draft', { note: randomUUID(), kind: 'note', text: words.draft });
  const line = await mllp(at.ports.mllp);
  for (let n = 0; n < 5; n++) await line.send(reading(ROOM, n, 90 + n));
  line.close();
  await page.stateWhere((s) => s.consultation.recording.tracks > 0, 30);
});
after(async () => {
  page?.close();
  await stop(station);
  at.remove();
});

const files = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? files(join(dir, entry.name)) : entry.isFile() ? [join(dir, entry.name)] : []);
// The reserve is 64 MiB of zeros.
const hits = (name, bytes) => bytes.length > 1 << 20 && bytes.equals(Buffer.alloc(bytes.length)) ? [] : patterns.filter((pattern) => bytes.includes(pattern.bytes)).map(({ what }) => `${name}: ${what}`);
const inFiles = () => files(at.state).flatMap((file) => hits(relative(at.state, file), readFileSync(file)));

async function memory(more, looked) {
  const { stdout } = await promisify(execFile)(process.execPath,
    [join(root, 'tests/lib/memory-hits.mjs'), ...more, `${station.pid}`, ...looked.map((bytes) => bytes.toString('hex'))]);
  return JSON.parse(stdout);
}

function dek(purpose) {
  const copy = join(at.dir, 'keys.db');
  copyFileSync(join(at.state, 'keys.db'), copy);
  const der = Buffer.from(execFileSync('sqlite3', [copy, `SELECT hex(recovery_cms) FROM consult_key WHERE consult='${consultation}' AND purpose='${purpose}'`],
    { encoding: 'utf8' }).trim(), 'hex');
  const { key, cert } = at.recovery[0];
  return Buffer.from(JSON.parse(execFileSync('openssl', ['cms', '-decrypt', '-inform', 'DER', '-inkey', key, '-recip', cert], { input: der })).dek, 'base64');
}

test('the search finds what lies open', () => {
  for (const { what, bytes } of patterns) assert.ok(hits('control', Buffer.concat([Buffer.from([1, 2]), bytes, Buffer.from([3])])).includes(`control: ${what}`));
});

test('no file of a station at work tells of the patient', () => {
  assert.ok(files(at.state).length > 8);
  assert.deepEqual(inFiles(), []);
});

test('keys stand in no part of the memory that a core dump would have', async (t) => {
  if (process.getuid() !== 0) return t.skip('not root: the memory of the program cannot be looked at');
  const keys = ['clinical', 'recording'].map(dek);
  assert.ok((await memory([], keys)).every((n) => n > 0), 'the control finds them in locked memory');
  assert.deepEqual(await memory(['--dumped'], keys), [0, 0]);
  const seen = await memory([], Object.values(words).map((text) => Buffer.from(text.normalize('NFC'))));
  const open = Object.keys(words).filter((_, i) => seen[i] > 0);
  t.diagnostic(`in memory while the consultation is on the screen: ${open.join(', ')}`);
  assert.ok(open.includes('note'), 'what is on the screen is in memory: the control of the search');
});

// The kernel's word: a program that is not dumpable leaves no core, whatever its limits say.
test('killed by a fault it leaves no core', async (t) => {
  const cores = join(at.dir, 'cores');
  mkdirSync(cores);
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
  const where = pattern.startsWith('/') ? dirname(pattern) : null;
  const found = () => [at.dir, cores, where, process.cwd()].filter((dir) => dir && existsSync(dir))
    .flatMap((dir) => readdirSync(dir).map((name) => join(dir, name))).filter((file) => /core/.test(file.split('/').at(-1)) && statSync(file).isFile());
  const before = new Set(found());
  const fresh = () => found().filter((file) => !before.has(file));
  if (pattern.startsWith('|') || process.getuid() !== 0) t.diagnostic(`core_pattern is "${pattern}": only the limits are looked at`);
  else {
    // The control: a program without such care does leave one here.
    const control = spawn('sh', ['-c', 'ulimit -c unlimited; exec sleep 30'], { cwd: cores, stdio: 'ignore' });
    await once(control, 'spawn');
    await new Promise((done) => setTimeout(done, 300));
    control.kill('SIGSEGV');
    await once(control, 'exit');
    if (fresh().length === 0) t.diagnostic('this machine writes no cores: the control left none');
    for (const file of fresh()) before.add(file);
    const raised = spawnSync('prlimit', ['--core=unlimited', '--pid', String(station.pid)]);
    if (raised.status !== 0) t.diagnostic('its limit of cores, 0, cannot be raised from outside here');
  }
  const gone = once(station, 'exit');
  process.kill(station.pid, 'SIGSEGV');
  await gone;
  assert.deepEqual(fresh(), []);
});

test('after the fault, too, no file and no line of a log tells of the patient', () => {
  assert.deepEqual(inFiles(), []);
  assert.deepEqual(hits('log', Buffer.from(output, 'latin1')), []);
  const shown = execFileSync(nhipcau, ['record', 'show', consultation, '--json', '--state', at.state, '--config', at.config, '--boot-credential', at.boot], { encoding: 'utf8' });
  assert.ok(shown.includes(words.note), 'and the record is whole');
});
