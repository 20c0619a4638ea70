// A recording whose consent was withdrawn is destroyed, by command, with a certificate that stock
// openssl checks; the minutes stay; no file tells of the patient in any encoding.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place as makePlace, signIn } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

const NAME = 'Vàng Thị Mỷ', NOTE = 'Đau ngực dữ dội, lan ra cánh tay trái';

let place, consultation;
before(async () => {
  place = await makePlace('erasure', { config: '[camera room]\naddress=test:\n' });
  const station = await runStation(place);
  const page = await signIn(place, 'lan');
  ({ consultation } = await page.ask('consultation.start', { mode: 3, reason: NOTE, patient: { name: NAME, birth_year: 1958 } }));
  await page.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'] });
  await page.ask('recording.start');
  await page.stateWhere((s) => s.consultation.recording.on && s.consultation.recording.tracks > 0, 30);
  await page.ask('consultation.conclude', { conclusion: 'Theo dõi tại trạm' });
  await page.stateWhere((s) => s.consultation?.state === 'concluding');
  await page.ask('consultation.sign', { pin: place.pin });
  await page.stateWhere((s) => s.consultation === null);
  page.close();
  await stop(station);
});
after(() => place.remove());

const record = (...args) => {
  const done = spawnSync(nhipcau, ['record', ...args, '--lang', 'en', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, '--unlock', place.passphrase], { encoding: 'utf8' });
  return { ...done, text: done.stdout + done.stderr };
};
const retention = () => JSON.parse(record('retention', consultation, '--json').stdout);

test('what the law keeps and what is held cannot be erased', () => {
  const [line] = retention().records;
  assert.equal(line.years, 10);
  assert.equal(Number(line.due.slice(0, 4)), Number(line.day.slice(0, 4)) + 10);
  assert.equal(line.is_due, false);
  const all = record('erase', consultation, '--purpose', 'all', '--why', 'consent-withdrawn');
  assert.notEqual(all.status, 0);
  assert.match(all.text, /kept by law until/);
  assert.notEqual(record('erase', consultation, '--why', 'because').status, 0);

  assert.notEqual(record('hold', consultation).status, 0, 'a hold wants a reason');
  assert.equal(record('hold', consultation, '--reason', 'thanh tra Sở Y tế').status, 0);
  const held = record('erase', consultation, '--why', 'consent-withdrawn');
  assert.notEqual(held.status, 0);
  assert.match(held.text, /on hold/);
  assert.equal(record('release', consultation).status, 0);
  assert.equal(record('retention', consultation, '--class', 'accident').status, 0);
  assert.equal(retention().records[0].years, 20);
});

test('the recording is destroyed, the minutes stay, openssl checks the certificate', () => {
  const media = join(place.state, 'media', consultation);
  assert.ok(readdirSync(media).length > 0);
  const done = record('erase', consultation, '--why', 'consent-withdrawn', '--reason', 'người bệnh rút lại đồng ý');
  assert.equal(done.status, 0, done.text);
  assert.ok(!existsSync(media), 'its files are gone');
  assert.equal(retention().records[0].recording, false);
  const shown = record('show', consultation);
  assert.equal(shown.status, 0, shown.text);
  assert.ok(shown.stdout.includes(NOTE));
  const verified = record('verify');
  assert.equal(verified.status, 0, verified.text);

  const [certificate] = retention().erased;
  assert.equal(certificate.signed, true);
  assert.deepEqual(certificate.purposes, ['recording']);
  const { statement, signature } = JSON.parse(readFileSync(join(place.state, certificate.file), 'utf8'));
  const [text, der] = [join(place.dir, 'statement'), join(place.dir, 'statement.der')];
  writeFileSync(text, statement);
  writeFileSync(der, Buffer.from(signature, 'base64'));
  const check = () => spawnSync('openssl', ['cms', '-verify', '-inform', 'DER', '-in', der, '-content', text, '-binary', '-noverify', '-out', '/dev/null']).status;
  assert.equal(check(), 0);
  writeFileSync(text, statement.replace('consent', 'Consent'));
  assert.notEqual(check(), 0);
});

test('no file tells of the patient: UTF-8 composed and decomposed, UTF-16 either way', () => {
  const patterns = [NAME, NOTE, 'người bệnh rút lại đồng ý', 'thanh tra Sở Y tế'].flatMap((words) => {
    const little = Buffer.from(words, 'utf16le');
    return [Buffer.from(words.normalize('NFC')), Buffer.from(words.normalize('NFD')), little, Buffer.from(little).swap16()];
  });
  const files = execFileSync('find', [place.state, '-type', 'f'], { encoding: 'utf8' }).trim().split('\n');
  assert.ok(files.length > 5);
  const seen = files.flatMap((file) => {
    const bytes = readFileSync(file);
    return patterns.filter((pattern) => bytes.includes(pattern)).map((pattern) => `${file}: ${createHash('sha256').update(pattern).digest('hex')}`);
  });
  assert.deepEqual(seen, []);
});
