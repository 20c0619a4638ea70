// Papers out of a running station: a prescription is entered, minutes are had from the page's side before and
// after signing, and by `nhipcau record export`.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { judgeBundle } from '../lib/fhir.mjs';
import { textOf } from '../lib/papers.mjs';
import { place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

let place, station, page, id;
before(async () => {
  place = await makePlace('papers');
  station = await runStation(place);
  page = await signIn(place, 'lan');
  id = await startConsultation(page, { mode: 4, reason: 'Sốt cao', patient: { name: 'Vàng Thị Mỷ', birth_year: 1990, sex: 'female' } });
  await page.ask('note.save', { note: randomUUID(), kind: 'opinion', text: 'Theo dõi tại trạm, uống đủ nước.' });
  await page.ask('reading.save', { vital: 'temp', value: '39.2', unit: 'Cel' });
});
after(async () => {
  page.close();
  await stop(station);
  place.remove();
});

const get = (path, session = page.session) => place.get(`${place.origin}/paper/${path}`, session ? { authorization: `Bearer ${session}` } : {});
const flat = (bytes) => { writeFileSync(join(place.dir, 'x.pdf'), bytes); return textOf(join(place.dir, 'x.pdf')).replace(/\s+/g, ' '); };
const drugs = async () => (await page.ask('prescription.list')).items;

test('a prescription is entered, changed, taken away; nonsense is refused by its field', async () => {
  const line = { prescription: randomUUID(), drug: 'Paracetamol', strength: '500 mg', dose: 'Uống 1 viên khi sốt', days: 3, quantity: 9, unit: 'viên' };
  await page.ask('prescription.save', line);
  await page.ask('prescription.save', { ...line, quantity: 12 });
  const other = { prescription: randomUUID(), drug: 'Oresol' };
  await page.ask('prescription.save', other);
  assert.deepEqual((await drugs()).map(({ drug, quantity }) => [drug, quantity]), [['Paracetamol', 12], ['Oresol', null]]);
  await page.ask('prescription.save', { ...other, removed: true });
  assert.equal((await drugs()).length, 1);
  for (const [field, value] of [['drug', ''], ['drug', 'x'.repeat(301)], ['days', -1], ['days', '3'], ['quantity', 1e9], ['prescription', 'x y'], ['removed', 1]])
    assert.equal((await refusal(page.ask('prescription.save', { ...line, [field]: value }))).code, 'bad-message', field);
  for (let i = 0; i < 49; i++) await page.ask('prescription.save', { prescription: randomUUID(), drug: `Thuốc ${i}` });
  assert.equal((await refusal(page.ask('prescription.save', { prescription: randomUUID(), drug: 'một nữa' }))).code, 'bad-message');
  for (const { prescription, drug } of (await drugs()).slice(1)) await page.ask('prescription.save', { prescription, drug, removed: true });
});

test('papers want a sign-in, a known kind and a record that opens; each is logged', async () => {
  assert.equal((await get(`${id}/minutes`, null)).status, 401);
  assert.equal((await get(`${id}/minutes`, 'x'.repeat(43))).status, 401);
  assert.equal((await get(`${id}/fax`)).status, 404);
  assert.equal((await get(`${id}`)).status, 404);
  assert.notEqual((await get(`${randomUUID()}/minutes`)).status, 200);
  const draft = await get(`${id}/minutes`);
  assert.equal(draft.status, 200);
  assert.equal(draft.headers['content-type'], 'application/pdf');
  assert.equal(draft.headers['cache-control'], 'no-store');
  const text = flat(draft.body);
  for (const said of ['BẢN NHÁP', 'VÀNG THỊ MỶ', 'Theo dõi tại trạm, uống đủ nước.', '39,2', 'Paracetamol 500 mg', '12 viên']) assert.ok(text.includes(said), said);
  const { record } = await page.ask('record.open', { consultation: id });
  assert.ok(record.rows.view.some(({ user, body }) => user === 'lan' && body.what === 'paper-minutes'));
});

test('signed, the same bytes come from the page, from the command and again', async () => {
  await page.ask('consultation.conclude', { conclusion: 'Sốt vi rút; theo dõi tại trạm.' });
  await page.ask('consultation.sign', { pin: place.pin });
  await page.ask('unlock', { passphrase: place.passphraseText });
  const [first, second] = [await get(`${id}/minutes`), await get(`${id}/minutes`)];
  assert.equal(first.status, 200);
  assert.ok(first.body.equals(second.body));
  const text = flat(first.body);
  assert.ok(!text.includes('BẢN NHÁP') && text.includes('Sốt vi rút; theo dõi tại trạm.') && text.includes('xác nhận khi đăng nhập'));
  const manifest = (await page.ask('record.open', { consultation: id })).record.rows.signature[0].body.sha256;
  assert.ok(text.replaceAll(' ', '').includes(manifest));
  const file = (name) => join(place.dir, name);
  const done = spawnSync(nhipcau, ['record', 'export', id, '--state', place.state, '--config', place.config, '--unlock', place.passphrase,
    '--pdf', file('m.pdf'), '--referral', file('r.pdf'), '--prescription', file('p.json'), '--fhir', file('b.json')], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  assert.ok(readFileSync(file('m.pdf')).equals(first.body));
  assert.equal(statSync(file('m.pdf')).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(file('p.json'))).thong_tin_don_thuoc.map(({ ten_thuoc }) => ten_thuoc), ['Paracetamol 500 mg']);
  assert.deepEqual(judgeBundle(JSON.parse(readFileSync(file('b.json')))), { schema: [], package: [], invariants: [], references: [], units: [] });
});

test('record export says what is wrong', () => {
  const run = (...args) => spawnSync(nhipcau, ['record', 'export', ...args, '--lang', 'en', '--state', place.state, '--config', place.config, '--unlock', place.passphrase], { encoding: 'utf8' });
  const wrong = [[[id], 2, /--pdf FILE/], [['--pdf', 'x'], 2, /usage/], [['nosuch', '--pdf', join(place.dir, 'y')], 3, /no consultation “nosuch”/],
    [[id, '--pdf', '/nonexistent/x.pdf'], 4, /nonexistent/]];
  for (const [args, status, says] of wrong) {
    const done = run(...args);
    assert.equal(done.status, status, `${args.join(' ')}: ${done.stderr}`);
    assert.match(done.stderr, says);
  }
});
