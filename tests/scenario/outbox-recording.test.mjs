// The recording itself reaches the hospital, piece by piece: broken off and killed it goes on behind what has arrived; a
// record overtakes it; a recording whose consent is withdrawn before is not sent; only what was sent makes room.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { device } from '../lib/dicom.mjs';
import { judgeBundle } from '../lib/fhir.mjs';
import { place as makePlace, signIn } from '../lib/people.mjs';
import { freePort, nhipcau, runStation, stop } from '../lib/station.mjs';
import { untilWithin } from '../lib/until.mjs';
import { fhirServer, hospitalCertificates } from '../sim/fhir.mjs';
import { ultrasound } from '../sim/dicom.mjs';

const PIECE = 4 << 20;
const work = mkdtempSync(join(tmpdir(), 'nhipcau-recording-'));
const folder = join(work, 'disk');
// Some 10 MB: three pieces.
const object = ultrasound({ patient: { name: 'VANG^THI^MY', id: '0100123' }, columns: 480, rows: 360, frames: 20 });
// The file's head is the receiver's own.
const pixels = object.bytes.subarray(-480 * 360 * 3 * 20);
let place, station, page, fhir, us, consultation;

const until = untilWithin(120);
const outbox = () => page.ask('outbox.list', { delivered: true });
const waiting = async (target, item) => (await outbox()).items.find((one) => one.target === target && one.item === item);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const keys = () => ['--state', place.state, '--config', place.config, '--boot-credential', place.boot, '--unlock', place.passphrase];

async function start() {
  station = await runStation(place);
  page = await signIn(place, 'lan');
  await page.ask('unlock', { passphrase: place.passphraseText });
}
async function kill() {
  page.close();
  station.kill('SIGKILL');
  await new Promise((done) => station.once('exit', done));
}

before(async () => {
  mkdirSync(folder);
  const hospital = hospitalCertificates(join(work, 'hospital'));
  fhir = await fhirServer(hospital);
  const port = await freePort();
  place = await makePlace('recording', { config: `[camera room]
address=test:
width=320
height=180
[dicom]
port=${port}
callers=US1
[device ultrasound]
id=US1
[deliver province]
to=${fhir.url}
title=Bệnh viện tỉnh
ca-file=${hospital('ca.crt')}
certificate=${hospital('station.crt')}
key=${hospital('station.key')}
rate=200000
[deliver disk]
to=${folder}
` });
  us = device('US1', port);
  await start();
}, { timeout: 120_000 });
after(async () => {
  page?.close();
  await stop(station);
  await fhir?.close();
  us?.remove();
  place?.remove();
  rmSync(work, { recursive: true, force: true });
});

async function record(reason, { object: bytes } = {}) {
  const { consultation: id } = await page.ask('consultation.start',
    { mode: 3, reason, patient: { name: 'Vàng Thị Mỷ', device_ids: ['0100123'] } });
  await page.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'] });
  await page.ask('recording.start');
  await page.stateWhere((s) => s.consultation?.recording.on && s.consultation.recording.tracks > 0, 30);
  if (bytes) {
    assert.equal((await us.storeBytes(bytes)).code, 0);
    await until(async () => (await page.ask('attachments.list')).items.length > 0, 'the object is there');
  }
  await until(() => readdirSync(join(place.state, 'media', id)).length > 0, 'a segment');
  await page.ask('consultation.conclude', { conclusion: 'Theo dõi' });
  await page.ask('consultation.sign', { passphrase: place.passphraseText });
  return id;
}

test('a server that fails in between gets each piece once, over a kill too', { timeout: 240_000 }, async () => {
  fhir.binaries = 1;
  consultation = await record('Đau bụng', { object: object.bytes });
  const files = await until(async () => {
    const one = await waiting('province', 'files');
    return one?.problem && one;
  }, 'files are broken off');
  assert.match(files.problem.vi, /máy chủ đang gặp sự cố/);
  assert.equal(fhir.bundles('document').length, 1, 'the record went before');
  assert.equal(fhir.binaryPuts.length, 1);
  const [first] = fhir.binaryPuts;
  await kill();
  fhir.binaries = 1;
  await start();
  await until(() => fhir.binaryPuts.length === 2, 'the second piece');
  fhir.binaries = Infinity;
  await page.ask('outbox.send');
  await until(async () => (await outbox()).waiting === 0, 'everything has arrived');
  assert.equal(fhir.binaryPuts.filter((id) => id === first).length, 1, 'the first piece is not sent again');
  assert.equal(new Set(fhir.binaryPuts).size, fhir.binaryPuts.length, 'no piece twice');
});

test('the hospital can put the object together, and play each stretch of the recording', { timeout: 240_000 }, () => {
  const collections = fhir.bundles('collection');
  assert.equal(collections.length, 2);
  for (const bundle of collections) {
    const { schema, package: npm, invariants, units } = judgeBundle(bundle);
    assert.deepEqual([schema, npm, invariants, units], [[], [], [], []]);
  }
  const resources = collections.flatMap(({ entry }) => entry.map(({ resource }) => resource));
  const binary = ({ url }) => fhir.binary.get(url.replace('Binary/', '')).body;
  const [document] = resources.filter(({ resourceType }) => resourceType === 'DocumentReference');
  assert.deepEqual(document.content.map(({ format }) => format.code), ['1/3', '2/3', '3/3']);
  const whole = Buffer.concat(document.content.map(({ attachment }) => binary(attachment)));
  assert.ok(whole.subarray(-pixels.length).equals(pixels), 'every pixel');
  assert.ok(document.content.slice(0, -1).every(({ attachment }) => attachment.size === PIECE));
  const stretches = resources.filter(({ resourceType }) => resourceType === 'Media');
  assert.ok(stretches.length > 0);
  for (const { content, identifier } of stretches) {
    const bytes = binary(content);
    assert.equal(identifier[0].value, `ni:///sha-256;${Buffer.from(sha256(bytes), 'hex').toString('base64url')}`);
    const file = join(work, 'stretch');
    writeFileSync(file, bytes);
    const shown = execFileSync('ffprobe', ['-v', 'error', '-count_packets', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', file], { encoding: 'utf8' });
    assert.ok(Number.parseInt(shown, 10) > 0, shown);
  }
});

test('the folder has the same files as recovery would give', { timeout: 240_000 }, () => {
  const [name] = readdirSync(folder).filter((one) => /^[0-9a-f-]{36}$/.test(one));
  const [{ key, cert }] = place.recovery;
  const out = join(work, 'recovered');
  execFileSync(nhipcau, ['record', 'recover', '--state', place.state, '--key', key, '--certificate', cert, '--out', out, consultation], { stdio: 'pipe' });
  const { files } = JSON.parse(readFileSync(join(folder, name, 'recording.json'), 'utf8'));
  assert.ok(files.length > 0);
  for (const { name: file, pieces } of files) {
    const bytes = readFileSync(join(folder, name, file));
    assert.ok(bytes.equals(readFileSync(join(out, consultation, file))), file);
    assert.equal(pieces.reduce((sum, { size }) => sum + size, 0), bytes.length);
  }
  const [object1] = JSON.parse(readFileSync(join(folder, name, 'files.json'), 'utf8')).files;
  assert.ok(readFileSync(join(folder, name, object1.name)).equals(readFileSync(join(out, consultation, object1.name))), object1.name);
  assert.ok(readdirSync(join(folder, name)).every((file) => !file.endsWith('.part')));
});

test('consent withdrawn before it is sent: the recording is not sent, the record is', { timeout: 240_000 }, async () => {
  fhir.mode = '500';
  fhir.binaries = 0;
  rmSync(folder, { recursive: true });
  const before = fhir.binaryPuts.length;
  const id = await record('Ho');
  await until(async () => (await waiting('province', 'record'))?.problem, 'the server is in trouble');
  await page.ask('retention.erase', { consultation: id, purpose: 'recording', why: 'consent-withdrawn', reason: 'Người bệnh rút lại', passphrase: place.passphraseText });
  fhir.mode = 'ok';
  fhir.binaries = Infinity;
  mkdirSync(folder);
  await page.ask('outbox.send');
  await until(async () => (await outbox()).waiting === 0, 'nothing waits');
  const done = (await outbox()).delivered.filter((one) => one.consultation === id);
  assert.deepEqual(done.map(({ target, item, state }) => `${target} ${item} ${state}`).sort(),
    ['disk record confirmed', 'disk recording withdrawn', 'province record confirmed', 'province recording withdrawn']);
  assert.equal(fhir.binaryPuts.length, before);
  assert.ok(done.filter(({ state }) => state === 'confirmed').every(({ receipt }) => /^[0-9a-f]{64}$/.test(receipt.sha256)));
});

test('what was signed before there was a destination is sent when somebody asks for it; the record verifies', { timeout: 240_000 }, async () => {
  page.close();
  await stop(station);
  const config = readFileSync(place.config, 'utf8');
  writeFileSync(place.config, config.replaceAll('rate=200000', 'recording=false').replace(`to=${folder}`, `to=${folder}\nrecording=false`));
  await start();
  const id = await record('Sốt');
  await until(async () => (await outbox()).waiting === 0, 'the record has arrived');
  page.close();
  await stop(station);
  writeFileSync(place.config, config);
  await start();
  assert.equal((await outbox()).older, 1);
  assert.equal((await page.ask('outbox.older')).queued, 1);
  await until(async () => (await outbox()).waiting === 0, 'the recording has arrived');
  const { delivered, older } = await outbox();
  assert.equal(older, 0);
  assert.equal(delivered.filter((one) => one.consultation === id && one.item === 'recording' && one.state === 'confirmed').length, 2);
  const verified = spawnSync(nhipcau, ['record', 'verify', '--json', ...keys()], { encoding: 'utf8' });
  assert.equal(JSON.parse(verified.stdout).good, true, verified.stdout);
});
