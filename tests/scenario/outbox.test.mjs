// Signed consultations leave the station: to a FHIR server that behaves badly, to a folder that is not there
// yet, to Orthanc. Each arrives once, and counts only when it was read back.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { device, tool } from '../lib/dicom.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { freePort, nhipcau, runStation, start, stop } from '../lib/station.mjs';
import { untilWithin } from '../lib/until.mjs';
import { fhirServer, hospitalCertificates } from '../sim/fhir.mjs';
import { ultrasound } from '../sim/dicom.mjs';

let place, station, page, fhir, folder, orthanc, orthancPort, us, hospital;
const work = mkdtempSync(join(tmpdir(), 'nhipcau-outbox-'));

async function startOrthanc() {
  const [http, dicom] = [await freePort(), await freePort()];
  const config = join(work, 'orthanc.json');
  writeFileSync(config, JSON.stringify({ Name: 'hospital', HttpPort: http, DicomPort: dicom, DicomAet: 'PACS',
    RemoteAccessAllowed: false, AuthenticationEnabled: false, StorageDirectory: join(work, 'orthanc'),
    IndexDirectory: join(work, 'orthanc'), Plugins: [], DicomCheckCalledAet: true }));
  const child = start('/usr/sbin/Orthanc', [config], { stdio: ['ignore', 'pipe', 'ignore'] });
  return { child, http, dicom };
}
const ask = (path) => new Promise((done, fail) => get(`http://127.0.0.1:${orthancPort}${path}`, (response) => {
  const chunks = [];
  response.on('data', (chunk) => chunks.push(chunk));
  response.on('end', () => done(Buffer.concat(chunks)));
}).once('error', fail));

const until = untilWithin(30);

const command = (...args) => spawnSync(nhipcau, [...args, '--state', place.state, '--config', place.config], { encoding: 'utf8' });
const list = () => JSON.parse(command('outbox', 'list', '--json').stdout);
const item = (target, kind) => list().items.find((one) => one.target === target && (!kind || one.item === kind));
const problem = (target, pattern) => until(() => pattern.test(item(target)?.problem?.en ?? ''), `${target}: ${pattern}`);
// Records in the folder: their files and the log's head lie beside them.
const records = () => readdirSync(folder).filter((name) => /^[0-9a-f-]{36}\.json$/.test(name));
const sendNow = () => assert.equal(command('outbox', 'send').status, 0);
const verify = () => {
  const done = command('record', 'verify', '--json', '--boot-credential', place.boot, '--unlock', place.passphrase);
  return JSON.parse(done.stdout);
};

before(async () => {
  hospital = hospitalCertificates(join(work, 'hospital'));
  fhir = await fhirServer(hospital);
  folder = join(work, 'disk');
  orthanc = await startOrthanc();
  orthancPort = orthanc.http;
  const port = await freePort();
  place = await makePlace('outbox', { config: `[dicom]
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
[deliver disk]
to=${folder}
[deliver pacs]
to=dicom:PACS@127.0.0.1:${orthanc.dicom}
` });
  us = device('US1', port);
  station = await runStation(place);
  page = await signIn(place, 'lan');
}, { timeout: 60_000 });
after(async () => {
  page?.close();
  await stop(station);
  await stop(orthanc.child);
  await fhir.close();
  us.remove();
  place.remove();
  rmSync(work, { recursive: true, force: true });
});

async function consultAndSign(reason, { object } = {}) {
  const id = await startConsultation(page, { reason, patient: { name: 'Vàng Thị Mỷ', device_ids: ['0100123'] } });
  await page.ask('note.save', { note: id, kind: 'note', text: `${reason}: đau bụng ba ngày` });
  if (object) {
    assert.equal((await us.storeBytes(object)).code, 0);
    await until(async () => (await page.ask('attachments.list')).items.length > 0, 'the object is there');
  }
  await page.ask('consultation.conclude', { conclusion: 'Theo dõi' });
  await page.ask('consultation.sign', { passphrase: place.passphraseText });
  return id;
}

const object = ultrasound({ patient: { name: 'VANG^THI^MY', id: '0100123' } });
let first;

test('nothing counts as delivered that the server does not give back', { timeout: 180_000 }, async () => {
  fhir.mode = '500';
  first = await consultAndSign('Đau bụng', { object: object.bytes });
  await problem('province', /trouble/);
  for (const [mode, words] of [['cut', /cannot be reached/], ['half', /cannot be reached/], ['lose', /not there/],
    ['other', /not what was sent/], ['refuse', /refuses/]]) {
    fhir.mode = mode;
    if (mode === 'lose') fhir.kept.clear();
    sendNow();
    await problem('province', words);
  }
  fhir.mode = 'ok';
  sendNow();
  await until(() => !item('province'), 'delivered');
  const [bundle, ...more] = fhir.bundles('document');
  assert.deepEqual(more, [], 'the same id each time');
  assert.ok(fhir.kept.has(bundle.id));
});

test('a folder that is not there yet gets it when it is', { timeout: 60_000 }, async () => {
  assert.match(item('disk').problem.en, /not there/);
  mkdirSync(folder);
  sendNow();
  await until(() => !item('disk'), 'written');
  const [name, ...more] = records();
  assert.deepEqual(more, []);
  const bundle = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  assert.equal(name, `${bundle.id}.json`);
  assert.ok(fhir.kept.has(bundle.id));
  // The object goes there too, whole, beside the record, with its index.
  const there = JSON.parse(readFileSync(join(folder, bundle.id, 'files.json'), 'utf8'));
  assert.deepEqual(there.files.map(({ mime }) => mime), ['application/dicom']);
  assert.ok(readFileSync(join(folder, bundle.id, there.files[0].name)).includes(object.bytes.subarray(-2000)), 'the same pixels');
});

test('Orthanc has the object, pixel for pixel', { timeout: 60_000 }, async () => {
  await until(() => { sendNow(); return !item('pacs'); }, 'stored');
  const [instance, ...more] = JSON.parse(await ask('/instances'));
  assert.deepEqual(more, []);
  const got = await ask(`/instances/${instance}/file`);
  const pixels = object.bytes.subarray(-2000);
  assert.ok(got.includes(pixels), 'the same pixels');
});

test('the record tells of each delivery, and verifies', { timeout: 60_000 }, async () => {
  const shown = JSON.parse(command('record', 'show', first, '--json', '--boot-credential', place.boot, '--unlock', place.passphrase).stdout);
  const done = shown.rows.delivery.map(({ body }) => [body.target, body.item.length === 64 ? 'object' : body.item, body.state].join(' '));
  assert.deepEqual(done.sort(), ['disk files confirmed', 'disk record confirmed', 'pacs object confirmed',
    'province files confirmed', 'province record confirmed']);
  assert.equal(verify().good, true);
});

test('weeks offline: all of it arrives once, after kills at any moment', { timeout: 240_000 }, async () => {
  await fhir.close();
  const before = fhir.puts;
  for (let n = 0; n < 4; n++) await consultAndSign(`Lần ${n}`);
  await problem('province', /cannot be reached/);
  assert.equal(fhir.puts, before);
  assert.equal(list().items.filter((one) => one.target === 'province').length, 4);

  const again = await fhirServer(hospital);
  writeFileSync(place.config, readFileSync(place.config, 'utf8').replace(fhir.url, again.url));
  for (let kill = 0; kill < 5; kill++) {
    page.close();
    station.kill('SIGKILL');
    await new Promise((done) => station.once('exit', done));
    station = await runStation(place);
    page = await signIn(place, 'lan');
    sendNow();
    await new Promise((done) => setTimeout(done, Math.random() * 300));
  }
  await until(() => list().waiting === 0, 'all delivered', 60);
  assert.equal(again.bundles('document').length, 4, 'four documents, each under its own id');
  assert.equal(records().length, 5);
  assert.equal(verify().good, true);
  fhir = again;
});

test('a server of another authority, or one that does not know us, gets nothing', { timeout: 60_000 }, async () => {
  const config = readFileSync(place.config, 'utf8');
  page.close();
  await stop(station);
  const puts = fhir.puts;
  writeFileSync(place.config, config.replace(`ca-file=${hospital('ca.crt')}`, `ca-file=${hospital('stranger.crt')}`));
  station = await runStation(place);
  page = await signIn(place, 'lan');
  await consultAndSign('Sau');
  await problem('province', /certificate/);
  assert.equal(fhir.puts, puts);
  page.close();
  await stop(station);
  writeFileSync(place.config, config);
  // Not waiting in one breath: the server lives in this process.
  const sent = await tool(nhipcau, 'outbox', 'send', '--lang', 'en', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, '--unlock', place.passphrase);
  assert.equal(sent.code, 0, sent.text);
  assert.match(sent.text, /^0 items/m);
  station = await runStation(place);
  page = await signIn(place, 'lan');
});
