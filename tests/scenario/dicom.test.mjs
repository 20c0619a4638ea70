// Ultrasound and X-ray against the real program, sent by dcmtk's own echoscu and storescu: who may
// send, whose an object is, that it is kept before it is acknowledged, and that its pixels are right.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import { colourOf, device, greyOf, jpeg2000, tool } from '../lib/dicom.mjs';
import { eventually } from '../lib/browser.mjs';
import { place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { freePort, nhipcau, root, runStation, stop } from '../lib/station.mjs';
import { file, uid, ultrasound, ultrasoundPixel, xray, xrayPixel, xrayShade, xrayTables } from '../sim/dicom.mjs';

const PATIENT = { name: 'Vàng Thị Mỷ', device_ids: ['0100123'] };
const OURS = { name: 'VANG^THI^MY', id: '0100123' };
let place, station, page, port, us, xr;
before(async () => {
  port = await freePort();
  place = await makePlace('dicom', { config: `[dicom]
port=${port}
callers=US1@127.0.0.1; XRAY; FAR@192.0.2.1
largest=4M
[device ultrasound]
id=US1
` });
  station = await runStation(place);
  page = await signIn(place, 'lan');
  us = device('US1', port);
  xr = device('XRAY', port);
});
after(async () => {
  page.close();
  await stop(station);
  us.remove();
  xr.remove();
  place.remove();
});

const items = async () => (await page.ask('attachments.list')).items;
const command = (...args) => execFileSync(nhipcau, [...args, '--state', place.state, '--config', place.config,
  '--boot-credential', place.boot], { encoding: 'utf8' });
const show = (id) => JSON.parse(command('record', 'show', id, '--json'));
const fetch = async (consult, id, rest = '') => place.get(
  `${place.origin}/attachment/${consult}/${id}${rest}`, { Authorization: `Bearer ${page.session}` });
const holds = (n) => page.stateWhere((s) => s.held.reduce((sum, study) => sum + study.objects, 0) === n);

// The picture that docs/protocol.md tells a page to make of an object.
async function pixels(consult, item, frame) {
  const answer = await fetch(consult, item.id, `/${frame}/full`);
  assert.equal(answer.status, 200);
  return (item.about.picture.grey ? greyOf : colourOf)(answer.body, item.about.picture);
}

test('C-ECHO is answered to who may send, and nobody else gets an association', async () => {
  assert.equal((await us.echo()).code, 0);
  const stranger = await device('NOBODY', port).echo();
  assert.notEqual(stranger.code, 0);
  assert.match(stranger.text, /Calling AE Title Not Recognized/);
  const misled = await device('US1', port, 'OTHER').echo();
  assert.match(misled.text, /Called AE Title Not Recognized/);
  assert.notEqual((await device('FAR', port).echo()).code, 0, 'its address is another');
});

test('without a consultation an object is kept, sealed, and held', async () => {
  const sent = await us.storeBytes(ultrasound({ patient: OURS }).bytes);
  assert.equal(sent.code, 0, sent.text);
  const [study] = (await holds(1)).held;
  assert.deepEqual([study.sender, study.modality, study.patient.name, study.objects], ['US1', 'US', 'VANG THI MY', 1]);
});

test("the room's device speaks for the consultation on screen; the pixels are right", async () => {
  const consult = await startConsultation(page, { patient: PATIENT });
  const clip = ultrasound({ patient: OURS });
  const sent = await us.storeBytes(clip.bytes);
  assert.equal(sent.code, 0, sent.text);
  await page.stateWhere((s) => s.consultation?.attachments === 1);
  const [item] = await items();
  assert.equal(item.about.sop_instance, clip.instance);
  assert.deepEqual(item.about.picture.regions, [{ x0: 0, y0: 0, x1: 95, y1: 63, dx_mm: 0.5, dy_mm: 0.5 }]);
  assert.equal(item.about.picture.frame_ms, 40);
  for (const frame of [0, 5, 11]) {
    const got = await pixels(consult, item, frame);
    for (let y = 0; y < clip.rows; y++)
      for (let x = 0; x < clip.columns; x++)
        assert.deepEqual([...got.subarray(3 * (y * clip.columns + x), 3 * (y * clip.columns + x) + 3)],
          ultrasoundPixel(frame, x, y), `frame ${frame}, ${x}, ${y}`);
  }
  assert.equal((await fetch(consult, item.id, '/12/full')).status, 422, 'there is no such frame');
  assert.equal((await fetch(consult, item.id, '/0/raw')).status, 404);
  const thumb = await fetch(consult, item.id, '/0/thumb');
  assert.deepEqual([...thumb.body.subarray(0, 2)], [0xff, 0xd8]);
  assert.equal((await place.get(`${place.origin}/attachment/${consult}/${item.id}/0/thumb`)).status, 401);
  const whole = await fetch(consult, item.id);
  assert.equal(createHash('sha256').update(whole.body).digest('hex'), item.sha256);
});

test('twelve signed bits stay twelve signed bits', async () => {
  const consult = page.state.consultation.id;
  const plate = xray({ patient: OURS });
  assert.equal((await us.storeBytes(plate.bytes)).code, 0);
  await page.stateWhere((s) => s.consultation?.attachments === 2);
  const item = (await items()).find((one) => one.about.sop_instance === plate.instance);
  const { slope, intercept, windows, spacing } = item.about.picture;
  assert.deepEqual([slope, intercept, windows, spacing],
    [2, 100, [{ center: 300, width: 1000 }], { row_mm: 0.2, column_mm: 0.2, where: 'patient' }]);
  const got = await pixels(consult, item, 0);
  for (let y = 0; y < plate.rows; y++)
    for (let x = 0; x < plate.columns; x++)
      assert.equal(got[y * plate.columns + x], xrayPixel(x, y), `${x}, ${y}`);
});

test("another patient's object is held back, shown, and attached by a click alone", async () => {
  const study = uid();
  const other = { name: 'Nguyễn^Văn A', id: '999' };
  assert.equal((await us.storeBytes([ultrasound({ patient: other, study }).bytes, xray({ patient: other, study }).bytes])).code, 0);
  const state = await holds(3);
  assert.ok(state.consultation.events.some((e) => e.what === 'dicom-held-back'));
  assert.equal(state.consultation.attachments, 2);
  assert.equal((await refusal(page.ask('dicom.claim', { study: '1.2', sender: 'US1' }))).code, 'no-such');
  await page.ask('dicom.claim', { study, sender: 'US1' });
  await page.stateWhere((s) => s.consultation.attachments === 4 && s.held.length === 1);
  assert.equal((await items()).filter((one) => one.about.claimed_by === 'lan').length, 2);
  // The doctor has said whose this study is.
  assert.equal((await us.storeBytes(xray({ patient: other, study }).bytes)).code, 0);
  await page.stateWhere((s) => s.consultation.attachments === 5);
});

test('same number, another name: held back; a device of another room: held back', async () => {
  assert.equal((await us.storeBytes(xray({ patient: { name: 'Khác', id: '' } }).bytes)).code, 0);
  await holds(2);
  assert.equal((await xr.storeBytes(xray({ patient: OURS }).bytes)).code, 0);
  await holds(3);
});

test('a sender that repeats makes no second copy', async () => {
  const { bytes } = xray({ patient: OURS });
  const before = (await items()).length;
  for (let i = 0; i < 3; i++) assert.equal((await us.storeBytes(bytes)).code, 0);
  await page.stateWhere((s) => s.consultation.attachments === before + 1);
  assert.equal((await items()).length, before + 1);
});

test('what was acknowledged is there after kill -9, once', async () => {
  const consult = page.state.consultation.id, before = (await items()).length;
  const objects = Array.from({ length: 6 }, () => xray({ patient: OURS }));
  const gone = once(station, 'exit');
  const sending = us.storeBytes(objects.map((one) => one.bytes));
  await page.stateWhere((s) => s.consultation.attachments >= before + 2);
  execFileSync('kill', ['-9', String(station.pid)]);
  await gone;
  const said = (await sending).text.match(/Received Store Response \(Success\)/g)?.length ?? 0;
  assert.ok(said >= 1, 'the kill came after an answer');
  const kept = show(consult).rows.attachment.map((row) => row.body.about.sop_instance);
  for (const one of objects.slice(0, said)) assert.ok(kept.includes(one.instance));
  station = await runStation(place);
  page = await signIn(place, 'lan');
  await page.stateWhere((s) => s.consultation?.id === consult && s.held.length === 3);
  assert.equal((await us.storeBytes(objects.map((one) => one.bytes))).code, 0);
  await page.stateWhere((s) => s.consultation.attachments === before + 6);
  assert.equal(new Set((await items()).map((one) => one.about.sop_instance)).size, before + 6);
});

test('hostile files are refused and harm nobody', async (t) => {
  const before = (await items()).length;
  const good = ultrasound({ patient: OURS }), cut = (bytes, at) => bytes.subarray(0, at);
  const huge = xray({ patient: OURS, columns: 80, rows: 60 }).bytes;
  huge.writeUInt16LE(65535, huge.indexOf(Buffer.from([0x28, 0, 0x10, 0, 0x55, 0x53, 2, 0])) + 8);
  const lies = file('1.2.840.10008.5.1.4.1.1.1', uid(), [[0x10, 0x20, 'LO', '0100123'],
    [0x28, 2, 'US', 1], [0x28, 4, 'CS', 'MONOCHROME2'], [0x28, 8, 'IS', '2147483647'], [0x28, 0x10, 'US', 65535],
    [0x28, 0x11, 'US', 65535], [0x28, 0x100, 'US', 64], [0x28, 0x101, 'US', 77], [0x28, 0x102, 'US', 99],
    [0x7fe0, 0x10, 'OW', Buffer.alloc(10)]]);
  for (const [name, bytes] of Object.entries({ huge, lies })) {
    await us.storeBytes(bytes);
    await t.test(`${name}: the station lives and says that there is no picture`, async () => {
      assert.equal((await us.echo()).code, 0);
    });
  }
  await us.storeBytes(cut(good.bytes, good.bytes.length - 500), '-nh'); // shorter than it says
  // Above what station.conf takes.
  const large = await us.storeBytes(xray({ patient: OURS, columns: 2000, rows: 1200 }).bytes);
  assert.notEqual(large.code, 0);
  // Not DICOM at all, half an association, and silence.
  for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.from([1, 0, 0xff, 0xff, 0xff, 0xff, 0, 1]), Buffer.alloc(100000, 0xff)]) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(bytes);
    socket.destroy();
  }
  assert.equal((await us.echo()).code, 0);
  assert.equal((await us.storeBytes(xray({ patient: OURS }).bytes)).code, 0);
  const shown = await items();
  for (const item of shown.slice(before)) {
    const picture = item.about.picture;
    if (picture.shown) assert.ok(picture.rows * picture.columns < 40e6);
    else assert.match(picture.reason, /^(too-large|unknown-pixels|no-picture)$/);
  }
});

// dcmtk's word on the pixels of a colour object: 8 bit RGB.
async function dcmtkPixels(path) {
  const out = join(place.dir, 'frame.pnm');
  const asked = await tool('dcmj2pnm', '--write-raw-pnm', path, out);
  assert.equal(asked.code, 0, asked.text);
  const bytes = readFileSync(out), head = bytes.toString('latin1', 0, 100).match(/^P\d\n(#.*\n)?\d+ \d+\n\d+\n/)[0];
  return bytes.subarray(head.length);
}

test('files of other makers give what dcmtk says of them', async (t) => {
  const folder = join(root, '../shared/data/dicom');
  if (!existsSync(folder)) return t.skip('../shared/data is not here');
  await page.ask('patient.save', { patient: { unknown: true } });
  const consult = page.state.consultation.id, table = [];
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.dcm'))) {
    const path = join(folder, name), before = (await items()).length;
    const jpeg = (await tool('dcmdump', '+P', '0002,0010', path)).text.includes('JPEG');
    assert.equal((await us.store(path, ...(jpeg ? ['-xy'] : []))).code, 0, name);
    await page.stateWhere((s) => s.consultation.attachments === before + 1);
    const { id, about: { patient, picture } } = (await items()).at(-1);
    let verdict = picture.reason;
    if (picture.shown) {
      const got = await pixels(consult, { id, about: { picture } }, 0);
      verdict = `${picture.columns}×${picture.rows}×${picture.frames}`;
      if (!picture.grey) {
        assert.deepEqual(Buffer.from(got), await dcmtkPixels(path), name);
        verdict += ' as dcmj2pnm';
      } else {
        const dump = await tool('dcmdump', '+W', place.dir, path);
        assert.equal(dump.code, 0);
        const raw = readFileSync(join(place.dir, `${name}.0.raw`));
        const Cell = raw.length === got.length ? Uint8Array : Int16Array;
        assert.deepEqual(Buffer.from(Cell.from(got).buffer), raw, name);
        verdict += ' as dcmdump +W';
      }
    }
    table.push(`${name}: ${patient.name ?? '–'}; ${verdict}`);
  }
  for (const line of table) t.diagnostic(line);
  assert.equal(table.length, 7);
  assert.ok(table.some((line) => line.includes('Buc Jérôme')), 'latin-1');
});

test('JPEG 2000 is taken as it is; its pixels are those that were compressed', async () => {
  const consult = page.state.consultation.id;
  const columns = 96, rows = 64;
  const places = Array.from({ length: columns * rows }, (_, i) => [i % columns, Math.floor(i / columns)]);
  const stored = places.map(([x, y]) => xrayPixel(x, y));
  const whole = jpeg2000(stored, { columns, rows, bits: 12, signed: true });
  const plate = xray({ patient: OURS, columns, rows, codestream: whole });
  // Of the clip's two frames one lies in two fragments.
  const frame = (n) => jpeg2000([0, 1, 2].flatMap((c) => places.map(([x, y]) => ultrasoundPixel(n, x, y)[c])), { columns, rows, components: 3, bits: 8 });
  const first = frame(0), half = first.length >> 2 << 1;
  const clip = ultrasound({ patient: OURS, frames: 2, codestreams: [[first.subarray(0, half), first.subarray(half)], [frame(1)]] });
  const cut = xray({ patient: OURS, columns, rows, codestream: whole.subarray(0, whole.length >> 2 << 1) });
  const other = xray({ patient: OURS, columns, rows, codestream: jpeg2000(stored.slice(0, 32 * 32), { columns: 32, rows: 32, bits: 12, signed: true }) });
  const before = page.state.consultation.attachments;
  const sent = await us.storeBytes([plate, clip, cut, other].map(({ bytes }) => bytes), '-xv');
  assert.equal(sent.code, 0, sent.text);
  await page.stateWhere((s) => s.consultation?.attachments === before + 4);
  const item = async ({ instance }) => (await items()).find((one) => one.about.sop_instance === instance);
  assert.deepEqual([...await pixels(consult, await item(plate), 0)], stored);
  for (const n of [0, 1]) {
    const got = await pixels(consult, await item(clip), n);
    places.forEach(([x, y], i) => assert.deepEqual([...got.subarray(3 * i, 3 * i + 3)], ultrasoundPixel(n, x, y), `frame ${n}, ${x}, ${y}`));
  }
  assert.deepEqual([...(await fetch(consult, (await item(plate)).id, '/0/thumb')).body.subarray(0, 2)], [0xff, 0xd8]);
  // Half a picture, and one of another size than the object says, are none.
  for (const one of [cut, other]) assert.equal((await fetch(consult, (await item(one)).id, '/0/full')).status, 422);
  const kept = await fetch(consult, (await item(plate)).id);
  assert.ok(kept.body.includes('1.2.840.10008.1.2.4.90'), 'kept as it came');
});

test("an object's own tables: the shade of every value that can be stored", async () => {
  const consult = page.state.consultation.id;
  const plate = xray({ patient: OURS, tables: xrayTables });
  assert.equal((await us.storeBytes(plate.bytes)).code, 0);
  const item = await eventually(async () => (await items()).find((one) => one.about.sop_instance === plate.instance), 20, 'it is there');
  assert.deepEqual(item.about.picture.luts, [{ name: 'S' }, { name: '' }]);
  for (const [n, table] of xrayTables.entries()) {
    const answer = await fetch(consult, item.id, `/${n}/lut`);
    assert.equal(answer.status, 200);
    const shades = inflateSync(answer.body);
    assert.equal(shades.length, 4096);
    shades.forEach((shade, i) => assert.ok(Math.abs(shade - xrayShade(i - 2048, table)) <= 0.5, `table ${n}, ${i - 2048}: ${shade}`));
  }
  assert.equal((await fetch(consult, item.id, '/2/lut')).status, 422);
  // DCMTK's own rendering of the first, another word on it.
  const image = us.file(plate.bytes), out = `${image}.pgm`;
  const made = await tool('dcmj2pnm', '+op', '+Wl', '1', image, out);
  assert.equal(made.code, 0, made.text);
  const pgm = readFileSync(out), shown = pgm.subarray(pgm.length - plate.columns * plate.rows);
  const shades = inflateSync((await fetch(consult, item.id, '/0/lut')).body);
  shown.forEach((shade, i) => assert.ok(
    Math.abs(shade - shades[xrayPixel(i % plate.columns, Math.floor(i / plate.columns)) + 2048]) <= 1, `pixel ${i}: ${shade}`));
});

test('all of it verifies, and is in the record', async () => {
  const consult = page.state.consultation.id;
  const verified = JSON.parse(command('record', 'verify', '--json'));
  assert.equal(verified.good, true, JSON.stringify(verified.findings));
  assert.ok(verified.summary.attachments >= 15);
  assert.equal(show(consult).rows.attachment.length, (await items()).length);
});
