// The program as people call it: wrong words, wrong files, wrong keys. Each gets one clear sentence and
// the exit status that --help promises; nothing crashes.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

let place, going;
before(async () => {
  place = await makePlace('command');
  const station = await runStation(place);
  const page = await signIn(place, 'lan');
  going = await startConsultation(page);
  page.close();
  await stop(station);
});
after(() => place.remove());

const run = (...args) => spawnSync(nhipcau, args, { encoding: 'utf8', input: '' });
const at = () => ['--lang', 'en', '--state', place.state, '--config', place.config];
const unlocked = () => [...at(), '--unlock', place.passphrase];
const file = (name, text) => { const path = join(place.dir, name); writeFileSync(path, text); return path; };

const COMMANDS = ['run', 'setup', 'check', 'record', 'device', 'cert', 'ca'];

test('--help everywhere, in both languages, with the exit codes in the first', () => {
  const top = run('--help');
  assert.equal(top.status, 0);
  for (const code of ['0', '1', '2', '3', '4']) assert.match(top.stdout, new RegExp(`\\b${code} `));
  for (const command of COMMANDS) {
    const [vi, en] = ['vi', 'en'].map((lang) => run(command, '--help', '--lang', lang));
    for (const help of [vi, en]) {
      assert.equal(help.status, 0, command);
      assert.match(help.stdout, new RegExp(`nhipcau ${command}`));
    }
    assert.notEqual(vi.stdout, en.stdout, command);
  }
  assert.match(run('--version').stdout, /^nhipcau \d/);
});

test('wrong words: usage, status 2, and what would be right', () => {
  const [key, cert, other] = [place.recovery[0].key, place.recovery[0].cert, place.recovery[1].cert];
  const wrong = [
    [[], /run/], [['dance'], /no command 'dance'/], [['--dance'], /--help/],
    ...COMMANDS.map((command) => [[command, '--dance'], new RegExp(`Unknown option --dance; see nhipcau ${command} --help`)]),
    ...COMMANDS.map((command) => [[command, '--lang', 'fr', ...at().slice(2)], /vi/]),
    [['run', 'now', ...at()], /'now'/], [['check', 'all', ...at()], /'all'/], [['setup', 'it', ...at()], /'it'/],
    [['check', '--lang', 'en'], /--state DIR/], [['check', ...at().slice(0, 4), '--config', '/nonexistent'], /nonexistent/],
    [['record'], /list | show/], [['record', 'dance', ...at()], /list/], [['record', 'show', ...at()], /show ID/],
    [['record', 'list', 'x', ...at()], /list/], [['record', 'recover', ...at()], /--key, --certificate and --out/],
    [['record', 'recover', '--key', key, '--certificate', other, '--out', join(place.dir, 'x'), ...at()], /is not the certificate of the key/],
    [['device'], /decode KIND FILE/], [['device', 'decode', 'hl7'], /decode KIND FILE/], [['device', 'decode', 'fax', 'x'], /hl7/],
    [['cert', ...at()], /cert show/], [['ca', 'list', '--lang', 'en'], /--ca DIR/],
    [['setup', ...at()], /set up already/], [['setup', '--confirm', ...at()], /./],
    [['setup', '--remove-recovery', 'x', ...unlocked()], /number of a recovery key/],
    [['setup', '--add-user', 'Lan', '--pin-file', file('p', '735461\n'), ...at(), '--boot-credential', place.boot], /ID:NAME:ROLE/],
    [['setup', '--add-user', 'an:An:doctor', '--pin-file', file('weak', '111111\n'), ...at(), '--boot-credential', place.boot], /PIN/],
    [['setup', '--make-recovery', join(place.state, 'x'), '--passphrase-file', place.passphrase, ...at()], /removable media/],
    [['setup', '--new-boot-credential', ...unlocked(), '--boot-credential', join(place.state, 'x')], /outside the state folder/],
  ];
  for (const [args, says] of wrong) {
    const done = run(...args);
    assert.equal(done.status, 2, `${args.join(' ')}: ${done.stderr}`);
    assert.match(done.stderr, says, args.join(' '));
  }
});

test('a state folder, a key or a record that is not there: status 3', () => {
  const [key, cert] = [place.recovery[0].key, place.recovery[0].cert];
  const wrong = [
    [['run', '--state', '/nonexistent'], /nonexistent/], [['run', ...at()], /passphrase|mật khẩu/],
    [['record', 'list', '--state', '/nonexistent'], /nonexistent/], [['record', 'verify', '--json', '--state', '/nonexistent'], /nonexistent/],
    [['record', 'verify', '--state', '/'], /keys.db/], [['cert', 'show', '--state', '/nonexistent'], /setup/],
    [['record', 'show', 'nosuch', ...unlocked()], /no consultation “nosuch”/],
    [['record', 'show', '../../etc', ...unlocked()], /no consultation/],
    [['record', 'verify', 'nosuch', ...unlocked()], /no consultation “nosuch”/],
    [['record', 'recover', 'nosuch', '--key', key, '--certificate', cert, '--out', join(place.dir, 'x'), ...at()], /nosuch/],
    [['record', 'recover', '--key', cert, '--certificate', cert, '--out', join(place.dir, 'x'), ...at()], /no private key/],
    [['record', 'verify', ...at(), '--unlock', file('wrong', 'không phải mật khẩu\n')], /passphrase is wrong/],
    [['record', 'verify', ...unlocked(), '--unlock-user', 'nobody'], /no passphrase/],
    [['record', 'list', ...at(), '--boot-credential', file('short', 'x')], /32 bytes/],
    [['record', 'list', ...at(), '--boot-credential', file('other', 'x'.repeat(32))], /does not open/],
    [['setup', '--confirm', 'AAAA-AAAA-AAAA-AAAA', ...at()], /16 letters/],
  ];
  for (const [args, says] of wrong) {
    const done = run(...args);
    assert.equal(done.status, 3, `${args.join(' ')}: ${done.status} ${done.stderr}`);
    assert.match(done.stderr, says, args.join(' '));
  }
});

test('what cannot be read as a message: status 4, with the file and the number of the message', () => {
  for (const [name, says] of [['/nonexistent', /nonexistent/], ['/etc', /etc/], [file('junk', 'hello'), /junk: message 1: .*MSH/]]) {
    const done = run('device', 'decode', 'hl7', name);
    assert.equal(done.status, 4, name);
    assert.match(done.stderr, says);
  }
  const adt = run('device', 'decode', 'hl7', file('adt', 'MSH|^~\\&|M||||20261120||ADT^A01|1|P|2.6\r'));
  assert.equal(adt.status, 0);
  assert.match(adt.stderr, /ADT\^A01 is not supported/);
});

test('a message is decoded by the profile that is named', () => {
  const bare = file('bare', 'MSH|^~\\&|X|Y|||20261120090313+0700||ORU^R01|7|P|2.3\rOBR|1\rOBX|1|NM|101^HR||72|\r');
  const first = (...more) => JSON.parse(run('device', 'decode', 'hl7', ...more, bare).stdout.split('\n')[0]);
  assert.deepEqual(first().flags, ['unmapped']);
  const read = first('--profile', 'mindray-231', '--config', place.config);
  assert.deepEqual([read.vital, read.value, read.unit], ['hr', 72, '/min']);
  const none = run('device', 'decode', 'hl7', '--profile', 'fax', '--config', place.config, bare);
  assert.equal(none.status, 2);
  assert.match(none.stderr, /no profile 'fax'; there are: .*mindray-231/);
  assert.equal(run('device', 'decode', 'contec', '--profile', 'ge', '--config', place.config, bare).status, 2);
});

test('--json on all that lists or verifies is one JSON value', () => {
  const [{ key, cert }] = place.recovery, out = join(place.dir, 'out');
  const json = (...args) => {
    const done = run(...args, '--json', ...(args[0] === 'cert' ? at() : unlocked()));
    assert.notEqual(done.stdout, '', `${args.join(' ')}: ${done.stderr}`);
    return JSON.parse(done.stdout);
  };
  assert.equal(json('record', 'list').records[0].consultation, going);
  assert.equal(json('record', 'show', going).consultation, going);
  assert.equal(json('record', 'verify').good, true);
  assert.equal(json('record', 'verify', going).good, true);
  assert.equal(json('cert', 'show').recovery.length, 2);
  assert.ok(json('check').findings.every((f) => f.level && f.code && f.text.vi && f.text.en));
  assert.deepEqual(json('record', 'recover', going, '--key', key, '--certificate', cert, '--out', out).consultations, [going]);
});

test('key files that are gone or broken are findings, not an end', () => {
  for (const act of [(dir) => { for (const name of ['keys.db', 'keys-copy.db']) rmSync(join(dir, name)); },
    (dir) => { for (const name of ['keys.db', 'keys-copy.db']) writeFileSync(join(dir, name), 'x'.repeat(9000)); }]) {
    const dir = join(place.dir, 'broken');
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { mode: 0o700 });
    cpSync(place.state, dir, { recursive: true });
    act(dir);
    const done = run('record', 'verify', '--json', '--lang', 'en', '--state', dir, '--config', place.config, '--unlock', place.passphrase);
    assert.equal(done.status, 1, done.stderr);
    const { good, findings } = JSON.parse(done.stdout);
    assert.equal(good, false);
    for (const name of ['keys.db', 'keys-copy.db'])
      assert.ok(findings.some((f) => f.verdict === 'bad' && `${f.where} ${f.what}`.includes(name)), name);
  }
});

test('a wrong station.conf: file, line, key and what is allowed, from every command', () => {
  const config = file('bad.conf', '[station]\nname = Trạm\n[http]\nport = many\n');
  for (const args of [['run'], ['check'], ['record', 'list'], ['cert', 'show'], ['setup', '--confirm', 'x']]) {
    const done = run(...args, '--state', place.state, '--config', config);
    assert.equal(done.status, 2, args[0]);
    assert.match(done.stderr, /bad\.conf:4: \[http\] port: wants a whole number from 1 to 65535/, args[0]);
  }
});
