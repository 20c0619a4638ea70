// A disk of 160 MB fills up: the console hears of it days before, delivered recordings make room under the policy,
// what is on hold or not delivered stays, recording ends before the last byte, and notes still save.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Console } from '../lib/console.mjs';
import { refusal } from '../lib/people.mjs';
import { buildDir, nhipcau, runStation, setUp, stop } from '../lib/station.mjs';
import { untilWithin } from '../lib/until.mjs';

const MB = 1 << 20;
const KEEP_FREE = 24 * MB, BELOW = 60 * MB;
// A sanitizer wants to be the first library of all.
const skip = process.env.ASAN_OPTIONS ? 'a library comes before the program here' : false;
const work = mkdtempSync(join(tmpdir(), 'nhipcau-disk-'));
const disk = join(work, 'disk'), hospital = join(work, 'hospital'), ballast = join(disk, 'ballast');

let place, station, page, passphrase;
const clock = (word) => ({ LD_PRELOAD: join(buildDir, 'tests/sim/libsim-clock.so'), SIM_CLOCK: word });
const start = async (word) => {
  station = await runStation(place, { env: clock(word) });
  page = await Console.connect(place);
  await page.ask('sign-in', { user: 'lan', pin: place.pin });
};
const end = async () => {
  page.close();
  await stop(station);
};

before(async () => {
  if (skip) return;
  mkdirSync(disk);
  mkdirSync(hospital);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160M', 'tmpfs', disk]);
  place = await setUp(disk, { config: `[camera room]
address=test:
width=320
height=180
[deliver hospital]
to=${hospital}
[recording]
keep-free=${KEEP_FREE / MB}M
reserve=4M
make-room=delivered
make-room-below=${BELOW / MB}M
make-room-age=0
` });
  passphrase = execFileSync('cat', [place.passphrase], { encoding: 'utf8' }).trim();
  await start('kept');
}, { timeout: 60_000 });
after(async () => {
  if (skip) return;
  await end();
  spawnSync('umount', ['-l', disk]);
  rmSync(work, { recursive: true, force: true });
});

const media = (id) => existsSync(join(place.state, 'media', id)) && readdirSync(join(place.state, 'media', id)).length > 0;
const outbox = () => page.ask('outbox.list', { delivered: true });
const until = untilWithin(40, 200);

async function record(reason) {
  const { consultation } = await page.ask('consultation.start', { mode: 3, reason, patient: { name: 'Vàng Thị Mỷ' } });
  await page.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'] });
  await page.ask('recording.start');
  await page.stateWhere((s) => s.consultation?.recording.on && s.consultation.recording.tracks > 0, 30);
  await until(() => media(consultation), 'a segment');
  await page.ask('note.save', { note: consultation, kind: 'note', text: reason });
  await page.ask('consultation.conclude', { conclusion: 'Theo dõi' });
  await page.ask('consultation.sign', { passphrase });
  return consultation;
}
const delivered = (id) => until(async () => (await outbox()).delivered.some((one) => one.consultation === id && one.item === 'recording' && one.state === 'confirmed'), 'the recording is delivered');

// So much is left of the disk.
function fill(left) {
  rmSync(ballast, { force: true });
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - left)));
}

let held, sent, kept;
test('the days that are left are told long before', { skip, timeout: 120_000 }, async () => {
  held = await record('Giữ lại');
  await delivered(held);
  sent = await record('Đã gửi');
  await delivered(sent);
  renameSync(hospital, `${hospital}.away`);
  kept = await record('Chưa gửi');
  await page.ask('retention.hold', { consultation: held, hold: true, reason: 'Thanh tra Sở Y tế' });
  await until(async () => (await outbox()).items[0]?.problem, 'the folder is not there');
  // The estimate is made at the start, and once an hour.
  await end();
  await start('kept');
  const { disk: told } = await page.stateWhere((s) => s.disk.days_left !== null);
  assert.ok(told.days_left >= 0 && told.soon === told.days_left < 30, JSON.stringify(told));
  assert.equal(told.making_room, false);
  for (const id of [held, sent, kept]) assert.ok(media(id));
});

test('a clock that nothing keeps right destroys nothing', { skip, timeout: 60_000 }, async () => {
  await end();
  await start('adrift');
  fill(KEEP_FREE + BELOW / 2);
  await page.stateWhere((s) => s.disk.stuck === 'clock', 30);
  for (const id of [held, sent, kept]) assert.ok(media(id));
});

test('the delivered recording goes, with a certificate; held and undelivered stay', { skip, timeout: 60_000 }, async () => {
  await end();
  await start('kept');
  await page.stateWhere((s) => s.disk.stuck === 'nothing', 40);
  assert.equal(media(sent), false);
  assert.ok(media(held) && media(kept));
  const { certificates: [certificate, ...more] } = await page.ask('erasure.list');
  assert.deepEqual(more, []);
  assert.equal(certificate.consultation, sent);
  assert.equal(certificate.why, 'disk-full');
  assert.deepEqual(certificate.purposes, ['recording']);
  assert.deepEqual(certificate.copies.map(({ where }) => where), ['backup', 'hospital', 'hospital-recording']);
  assert.equal(certificate.signed, true);
  await page.ask('unlock', { passphrase });
  const { record: opened } = await page.ask('record.open', { consultation: sent });
  assert.deepEqual(opened.rows.note.map(({ body }) => body.text), ['Đã gửi']);
  assert.deepEqual(opened.tracks, []);
});

test('recording ends before the disk is full, and a note still saves on it', { skip, timeout: 60_000 }, async () => {
  const { consultation } = await page.ask('consultation.start', { mode: 3, reason: 'Đĩa đầy', patient: { unknown: true } });
  await page.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'] });
  await page.ask('recording.start');
  await page.stateWhere((s) => s.consultation?.recording.on && s.consultation.recording.tracks > 0, 30);
  fill(KEEP_FREE / 2);
  await page.stateWhere((s) => s.disk.level === 'full' && s.consultation.events.some(({ what }) => what === 'disk-full'), 20);
  await page.ask('recording.pause', { reason: 'Đĩa đầy' });
  const no = await refusal(page.ask('recording.start'));
  assert.equal(no.code, 'disk');
  assert.ok(no.text.vi.length > 10);
  fill(0); // not one byte for anybody: the store gives up its reserve
  await page.ask('note.save', { note: consultation, kind: 'note', text: 'Vẫn ghi được' });
  await page.ask('consultation.conclude', { conclusion: 'Theo dõi' });
  await page.ask('consultation.sign', { passphrase });
  rmSync(ballast);
  const verified = spawnSync(nhipcau, ['record', 'verify', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, '--unlock', place.passphrase], { encoding: 'utf8' });
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
});
