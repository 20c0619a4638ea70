// ECG files against the real program: bounded while they come, whose they are, kept as they came and as
// they were read, there again after a restart, and in the record that stock tools verify.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, root, runStation, sim, stop } from '../lib/station.mjs';

const dir = mkdtempSync(join(tmpdir(), 'nhipcau-ecg-'));
let place, station, page;
before(async () => {
  place = await makePlace('ecg');
  station = await runStation(place);
  page = await signIn(place, 'lan');
});
after(async () => {
  page.close();
  await stop(station);
  place.remove();
  rmSync(dir, { recursive: true, force: true });
});

function make(kind, name, ...more) {
  const file = join(dir, name);
  execFileSync(sim('ecg-file'), [kind, file, ...more]);
  return file;
}

// Sends files as the page does; resolves with the id of the upload.
async function upload(files) {
  const ecg = randomUUID();
  for (const [name, bytes] of files)
    for (let offset = 0; offset === 0 || offset < bytes.length; offset += 120 * 1024)
      await page.ask('ecg.part', { ecg, name, offset, data: bytes.subarray(offset, offset + 120 * 1024).toString('base64') });
  return ecg;
}
const read = (file) => [file.split('/').at(-1), readFileSync(file)];
const list = () => page.stateWhere(() => true).then(({ consultation }) => consultation.ecgs);

async function fetchEcg(consultation, ecg) {
  const parts = [];
  for (let from = 0, size = 1; from < size;) {
    const piece = await page.ask('ecg.get', { consultation, ecg, from });
    parts.push(Buffer.from(piece.data, 'base64'));
    from += parts.at(-1).length;
    size = piece.size;
  }
  return Buffer.concat(parts);
}

let consultation, kept;

test("a file with the patient's own id is added, listed and sent in pieces", async () => {
  consultation = await startConsultation(page, { patient: { name: 'Nguyễn Văn A', device_ids: ['0100123'] } });
  const { ecg } = await page.ask('ecg.add', { ecg: await upload([read(make('scp', 'a.scp'))]) });
  const { consultation: { ecgs } } = await page.stateWhere((s) => s.consultation?.ecgs?.length === 1);
  assert.equal(ecgs[0].ecg, ecg);
  assert.deepEqual([ecgs[0].name, ecgs[0].format, ecgs[0].seconds, ecgs[0].confirmed], ['a.scp', 'scp', 10, false]);
  kept = await fetchEcg(consultation, ecg);
  assert.equal(kept.length, ecgs[0].size);
  const plain = inflateSync(kept);
  const head = JSON.parse(plain.subarray(4, 4 + plain.readUInt32LE(0)).toString());
  assert.equal(head.patient.name, 'Nguyễn Văn A');
  assert.deepEqual(head.streams[0].leads.map(({ name }) => name), ['I', 'II', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']);
  // Two bytes a sample would be 80,000.
  assert.ok(kept.length < 40_000, `${kept.length} bytes`);
});

test('the same file again is the same ECG', async () => {
  const { ecg } = await page.ask('ecg.add', { ecg: await upload([read(join(dir, 'a.scp'))]) });
  const ecgs = await list();
  assert.deepEqual(ecgs.map((one) => one.ecg), [ecg]);
});

test("another patient's file waits for the doctor's word", async () => {
  const upped = await upload([read(make('dicom', 'b.dcm', '0999999'))]);
  const held = await refusal(page.ask('ecg.add', { ecg: upped }));
  assert.equal(held.code, 'other-patient');
  assert.equal(held.patient?.id, '0999999');
  assert.equal((await list()).length, 1);
  await page.ask('ecg.add', { ecg: upped, confirmed: true });
  const { consultation: { ecgs } } = await page.stateWhere((s) => s.consultation?.ecgs?.length === 2);
  assert.equal(ecgs[1].confirmed, true);
});

test('several files are one WFDB record; a damaged one is refused with words', async () => {
  const header = read(make('wfdb', 'w.hea')), signals = read(join(dir, 'w.dat'));
  const wrong = Buffer.from(signals[1]);
  wrong[5000] ^= 1;
  const refused = await refusal(page.ask('ecg.add', { ecg: await upload([header, [signals[0], wrong]]) }));
  assert.equal(refused.code, 'bad-message');
  assert.match(JSON.stringify(refused.text), /checksum/);
  const missing = await refusal(page.ask('ecg.add', { ecg: await upload([header]) }));
  assert.match(JSON.stringify(missing.text), /w\.dat/);
  await page.ask('ecg.add', { ecg: await upload([signals, header]) });
  const { consultation: { ecgs } } = await page.stateWhere((s) => s.consultation?.ecgs?.length === 3);
  assert.equal(ecgs[2].format, 'wfdb');
});

test('what a page sends is bounded and in order', async () => {
  const ecg = randomUUID();
  const part = (fields) => page.ask('ecg.part', { ecg, name: 'x', offset: 0, data: 'AAAA', ...fields });
  assert.equal((await refusal(part({ offset: 5 }))).code, 'bad-message');
  await part({});
  assert.equal((await refusal(part({}))).code, 'bad-message');
  assert.equal((await refusal(page.ask('ecg.add', { ecg: randomUUID() }))).code, 'no-such');
  assert.equal((await refusal(page.ask('ecg.get', { consultation, ecg: 'f'.repeat(64), from: 0 }))).code, 'no-such');
  const data = Buffer.alloc(120 * 1024).toString('base64');
  let last;
  for (let offset = 0; !last && offset <= 9 << 20; offset += 120 * 1024)
    await page.ask('ecg.part', { ecg: 'big', name: 'big', offset, data }).catch((error) => { last = { error, offset }; });
  assert.equal(last.error.code, 'bad-message');
  assert.ok(last.offset > 7 << 20 && last.offset <= 8 << 20, `refused at ${last.offset}`);
});

const real = join(process.env.NHIPCAU_SHARED ?? join(root, '../shared'), 'data/scp-ecg/Example.scp');
test('10 s of twelve real leads are small enough for a weak link', { skip: !existsSync(real) && '../shared/data is not here' }, async (t) => {
  const before = consultation;
  const other = await startConsultation(page);
  await page.ask('ecg.add', { ecg: await upload([read(real)]), confirmed: true });
  const { consultation: { ecgs: [{ size, seconds }] } } = await page.stateWhere((s) => s.consultation?.id === other && s.consultation.ecgs.length === 1);
  t.diagnostic(`${size} bytes for ${seconds} s of 12 leads, ${(size * 8 / 1000).toFixed(0)} kbit; 120,000 bytes as 16 bits each`);
  assert.ok(size < 60_000, `${size} bytes`);
  await page.ask('consultation.park');
  await page.ask('consultation.open', { consultation: before });
});

test('after a kill they are there, bit for bit, and the record is whole', async () => {
  const first = (await list())[0].ecg;
  page.close();
  station.kill('SIGKILL');
  await stop(station);
  station = await runStation(place);
  page = await signIn(place, 'lan');
  const { consultation: { ecgs } } = await page.stateWhere((s) => s.consultation?.id === consultation);
  assert.equal(ecgs.length, 3);
  assert.deepEqual(await fetchEcg(consultation, first), kept);
  const record = await page.ask('record.open', { consultation }).then((answer) => answer.record);
  const kinds = record.rows.attachment.map(({ body }) => body.kind);
  // Each ECG and the files that it came from: one, one, and two.
  assert.deepEqual([kinds.filter((kind) => kind === 'ecg').length, kinds.filter((kind) => kind === 'ecg-file').length], [3, 4]);
  const verdict = JSON.parse(execFileSync(nhipcau,
    ['record', 'verify', consultation, '--state', place.state, '--unlock', place.passphrase, '--json'], { encoding: 'utf8' }));
  assert.equal(verdict.good, true);
  assert.equal(verdict.summary.attachments, 7);
});
