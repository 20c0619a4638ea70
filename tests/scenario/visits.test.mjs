// Appointments against the real program: power cuts, slips, the message gateway, links that are over.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { joinPage, keyPair, place as makePlace, refusal, signIn } from '../lib/people.mjs';
import { freePort, nhipcau, runStation, stop } from '../lib/station.mjs';

const TOKEN = 'a-token-of-the-gateway';
const inMinutes = (n) => (Date.now() + n * 60_000) * 1000;
const patient = { name: 'Vàng Thị Mỷ', birth_year: 1958, phone: '0912345678' };

let place, station, gateway, taken;
before(async () => {
  taken = [];
  gateway = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const good = request.headers.authorization === `Bearer ${TOKEN}` && !taken.refuse;
    if (good) taken.push(Buffer.concat(chunks).toString());
    response.writeHead(good ? 202 : 500).end('{}');
  });
  const port = await freePort();
  await new Promise((done) => gateway.listen(port, '127.0.0.1', done));
  place = await makePlace('visits', { config: `[visits]
clock=trusted
gateway=http://127.0.0.1:${port}/send
secret-file=gateway.secret
`, more: 'phone=0214 3871 234\naddress=Xã Tả Van' });
  writeFileSync(join(place.dir, 'gateway.secret'), TOKEN);
  station = await runStation(place, { unlock: false });
});
after(async () => {
  await stop(station);
  gateway.close();
  place.remove();
});

async function powerCut() {
  const gone = once(station, 'exit');
  execFileSync('kill', ['-9', String(station.pid)]);
  await gone;
  station = await runStation(place, { unlock: false });
}

const plan = (page, fields = {}) => page.ask('appointment.create',
  { at_us: inMinutes(5), minutes: 30, mode: 1, reason: 'Tái khám tăng huyết áp', patient, ...fields });

async function slip(page, card, kind, authorization = `Bearer ${page.session}`) {
  return place.get(`${place.origin}/slip/${card.appointment}/${card.invite}/${kind}`, authorization ? { authorization } : {});
}

const textOf = (pdf) => execFileSync('pdftotext', ['-layout', '-', '-'], { input: pdf, encoding: 'utf8' });

test('an appointment survives power cuts; it is moved, its link goes out without the PIN', async () => {
  let page = await signIn(place, 'lan');
  const card = await plan(page);
  assert.match(card.link, /\/join#v1\.pin-[\w-]+\.[\w-]+$/);
  assert.match(card.pin, /^\d{6}$/);
  await powerCut();
  page = await signIn(place, 'hung');
  let state = await page.stateWhere((s) => s.appointments.length === 1);
  assert.equal(state.appointments[0].patient.name, patient.name);
  assert.equal(state.appointments[0].time, 'open');
  assert.deepEqual(state.parked, []);
  assert.ok(!JSON.stringify(state).includes(card.pin), 'the PIN is shown on demand alone');
  assert.equal((await page.ask('appointment.card', { appointment: card.appointment })).pin, card.pin);

  const moved = await page.ask('appointment.move', { appointment: card.appointment, at_us: inMinutes(120), minutes: 20 });
  assert.equal(moved.link, card.link);
  const early = await refusal((await joinPage(place)).open(card.link, keyPair(), { pin: card.pin }));
  assert.equal(early.code, 'invite-early');
  assert.ok(Date.parse(early.opens) > Date.now());
  assert.match(early.text.vi, /Hãy mở lại đường dẫn này từ lúc \d\d:\d\d ngày/);
  await page.ask('appointment.move', { appointment: card.appointment, at_us: inMinutes(0), minutes: 20 });

  await page.ask('appointment.send', { appointment: card.appointment });
  const [body] = taken;
  const sent = JSON.parse(body);
  assert.deepEqual(Object.keys(sent).sort(), ['id', 'link', 'text', 'to']);
  assert.equal(sent.to, patient.phone);
  assert.equal(sent.link, card.link);
  for (const secret of [card.pin, 'Mỷ', 'huyết áp', '1958']) assert.ok(!body.includes(secret), secret);
  taken.refuse = true;
  assert.match((await refusal(page.ask('appointment.send', { appointment: card.appointment }))).text.vi, /tự gửi/);
  page.close();
});

test('slips: one with the link, one with the PIN, never both', async () => {
  const page = await signIn(place, 'lan');
  const card = await plan(page);
  const [link, pin] = [await slip(page, card, 'link'), await slip(page, card, 'pin')];
  assert.equal(link.status, 200);
  assert.equal(pin.headers['content-type'], 'application/pdf');
  const [linkText, pinText] = [textOf(link.body), textOf(pin.body)];
  assert.match(linkText, /PHIẾU HẸN KHÁM TỪ XA/);
  assert.match(linkText, /Vàng Thị Mỷ/);
  assert.ok(linkText.replace(/\s/g, '').includes(card.invite));
  const digits = `${card.pin.slice(0, 3)} ${card.pin.slice(3)}`;
  assert.ok(!linkText.includes(digits) && !linkText.includes(card.pin));
  assert.ok(pinText.includes(digits));
  assert.ok(!pinText.replace(/\s/g, '').includes(card.invite));
  assert.equal((await slip(page, card, 'pin', null)).status, 401);
  assert.equal((await slip(page, card, 'both')).status, 404);
  page.close();
});

test('a stolen link without the PIN gets nothing; a restart in the middle changes nothing', async () => {
  let page = await signIn(place, 'lan');
  const card = await plan(page);
  const [phone, thief] = [keyPair(), keyPair()];
  const evil = await joinPage(place);
  for (const attempt of [evil.open, evil.join, evil.reserve])
    assert.equal((await refusal(attempt(card.link, thief, { name: 'X' }))).code, 'pin-wanted');
  assert.equal((await refusal(evil.ask('link.probe', { bytes: 1000 }))).code, 'out-of-place');
  const wrong = await refusal(evil.open(card.link, thief, { pin: card.pin === '000000' ? '000001' : '000000' }));
  assert.equal(wrong.tries_left, 4);

  const opened = await (await joinPage(place)).open(card.link, phone, { pin: card.pin });
  assert.equal(opened.name, patient.name);
  await powerCut();
  page = await signIn(place, 'lan');
  const guest = await joinPage(place);
  assert.equal((await guest.open(card.link, phone)).other, false, 'the key opens it without the PIN');
  assert.equal((await guest.ask('link.probe', { bytes: 40000 })).pad.length, 40000);
  await guest.join(card.link, phone, { as: 'patient', consent: true, tests: { camera: 'good', link: 'weak', rtt_ms: 90 } });
  const { appointments } = await page.stateWhere((s) => s.appointments.some((a) => a.guests.length === 1));
  const mine = appointments.find((a) => a.appointment === card.appointment);
  assert.deepEqual(mine.guests[0].about.tests, { camera: 'good', link: 'weak', rtt_ms: 90 });
  assert.equal(mine.tries_left, 4, 'the wrong one is remembered across the power cut');
  const admitted = guest.until((m) => m.type === 'admitted');
  const { consultation } = await page.ask('appointment.start', { appointment: card.appointment, guest: mine.guests[0].guest });
  await admitted;

  await powerCut();
  page = await signIn(place, 'lan');
  const back = await joinPage(place);
  assert.equal((await back.join(card.link, phone)).state, 'admitted', 'in again without a click');
  assert.equal((await refusal((await joinPage(place)).join(card.link, thief, { name: 'X' }))).code, 'pin-wanted');
  await page.ask('consultation.conclude', { conclusion: 'ổn định' });
  await page.ask('consultation.sign', { pin: place.pin });
  assert.equal((await refusal((await joinPage(place)).open(card.link, phone))).code, 'invite-used');
  page.close();

  const shown = JSON.parse(execFileSync(nhipcau, ['record', 'show', consultation, '--json', '--state', place.state,
    '--config', place.config, '--boot-credential', place.boot, '--unlock', place.passphrase], { encoding: 'utf8' }));
  const [row] = shown.rows.guest;
  assert.deepEqual(row.body.proven, ['link', 'pin', 'browser-key', 'doctor']);
  assert.equal(row.user, 'lan');
  assert.equal(row.body.as, 'patient');
  assert.equal(shown.rows.consent[0].body.by, patient.name);
  assert.equal(shown.rows.consent[0].body.how, 'page');
  assert.ok(!JSON.stringify(shown).includes(card.pin), 'no PIN in what is read of a record');
});

test('who sits in the waiting room hears whether somebody sits before the console', async () => {
  const page = await signIn(place, 'lan');
  const card = await plan(page);
  const guest = await joinPage(place);
  const told = guest.until((m) => m.type === 'lobby');
  await guest.join(card.link, keyPair(), { pin: card.pin, as: 'patient' });
  assert.equal((await told).told, true);
  const alone = guest.until((m) => m.type === 'lobby' && !m.told);
  await page.ask('sign-out');
  await alone;
  const again = guest.until((m) => m.type === 'lobby' && m.told);
  await page.ask('sign-in', { user: 'lan', pin: place.pin });
  await again;
  await page.ask('appointment.cancel', { appointment: card.appointment });
  await powerCut();
  assert.equal((await refusal((await joinPage(place)).open(card.link, keyPair(), { pin: card.pin }))).code, 'invite-cancelled');
  page.close();
});
