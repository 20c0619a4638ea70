// The simulated clinic behind station/try: cameras, sound, a monitor, the station, and a doctor who
// starts a consultation and invites a specialist. Everything ends with this program.

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Bluetooth, bloodPressure, oximetry } from '../lib/bluez.mjs';
import { Console } from '../lib/console.mjs';
import { serialDevice } from '../lib/serial.mjs';
import { freePort, line, nhipcau, runStation, setUp, sim, start, stop } from '../lib/station.mjs';

function options() {
  try {
    return parseArgs({ options: {
      seconds: { type: 'string' }, json: { type: 'boolean' }, dir: { type: 'string' },
      listen: { type: 'string' },
    } }).values;
  } catch (error) {
    console.error(`station/try: ${error.message}. See station/try --help.`);
    process.exit(2);
  }
}

const { seconds, json = false, dir: wanted, listen } = options();
if (seconds !== undefined && !(Number(seconds) > 0)) {
  console.error('station/try: --seconds takes a number above 0');
  process.exit(2);
}
const say = (text) => (json ? process.stderr : process.stdout).write(`${text}\n`);
const stamp = new Date().toISOString().replace(/[:.]/g, '-');
const dir = resolve(wanted ??
  join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'nhipcau-try', stamp));

const children = new Map();
let ending = false;

// As a service manager would: what ends by itself is started again.
async function keep(name, startOne) {
  const child = await startOne();
  children.set(name, child);
  child.stderr.on('data', (chunk) => process.env.NHIPCAU_TRY_VERBOSE && process.stderr.write(chunk));
  child.stdout.resume();
  child.once('exit', (code, signal) => {
    children.delete(name);
    if (!ending) {
      say(`${name} ended (${signal ?? code}); starting it again`);
      restart(name, startOne);
    }
  });
  return child;
}

function restart(name, startOne) {
  setTimeout(() => {
    if (!ending) keep(name, startOne).catch((error) => {
      say(`${name}: ${error.message.split('\n').at(-1) || error.message}`);
      restart(name, startOne);
    });
  }, 1000);
}

async function simulator(name, args, ready = /^ready ?(.*)$/) {
  const child = start(sim(name), args);
  await line(child, ready);
  return child;
}

async function openConsultation(place) {
  const doctor = await Console.connect(place);
  await doctor.ask('sign-in', { user: place.users[0].id, pin: place.pin });
  let state = await doctor.stateWhere(() => true);
  if (!state.consultation) {
    await doctor.ask('consultation.start', {
      mode: 3, reason: 'Khó thở hai ngày nay, cần ý kiến chuyên khoa tim mạch',
      patient: { name: 'Vàng Thị Mỷ', birth_year: 1958, sex: 'female', address: 'Bản Tả Van Giáy' },
    });
    await doctor.ask('consent.save', {
      kind: 'given', purposes: ['treatment', 'recording'], by: 'Vàng Thị Mỷ', relation: 'bản thân', reason: '',
    });
    await doctor.ask('recording.start');
    // The state of before the start may still be under way: a device is claimed for a consultation.
    state = await doctor.stateWhere((s) => s.consultation !== null && s.devices.length > 0, 30);
    for (const { device } of state.devices)
      await doctor.ask('device.claim', { device, consultation: state.consultation.id });
    await doctor.ask('note.save', {
      note: randomUUID(), kind: 'question', text: 'Có cần chuyển cơ sở KCB không? Điều chỉnh thuốc thế nào?',
    });
  }
  state = await doctor.stateWhere((s) => s.consultation !== null);
  const open = state.consultation.invites.find((i) => i.role === 'specialist' &&
    !['ended', 'revoked', 'burnt', 'expired'].includes(i.state));
  const link = open?.link ??
    (await doctor.ask('invite.create', { role: 'specialist', name: 'BS. chuyên khoa tim mạch' })).link;
  await doctor.ask('sign-out');
  doctor.close();
  return link;
}

const oximeter = join(dir, 'oximeter');
const devices = (port, speech, heart) => `[camera room]
address=rtsp://127.0.0.1:${port}/room

[camera exam]
address=rtsp://127.0.0.1:${port}/exam

[microphone microphone]
address=file:${speech}

[serial oximeter]
port=${oximeter}
title=Máy đo SpO₂
room=true

[stethoscope stethoscope]
address=file:${heart}
`;

// A cuff and an oximeter to be paired on the console, where this machine has D-Bus and its Python.
async function bluetoothDevices() {
  const blue = await Bluetooth.begin().catch(() => null);
  if (!blue) return null;
  const [cuff, oximeter] = ['00:00:5E:00:53:01', '00:00:5E:00:53:02'];
  await blue.do('add', { address: cuff, kind: 'cuff', name: 'Máy huyết áp (thử)', read: { '2A19': '50' } });
  await blue.do('add', { address: oximeter, kind: 'oximeter', name: 'Máy SpO₂ (thử)', battery1: 64 });
  for (const address of [cuff, oximeter]) await blue.do('on', { address });
  const about = (n, spread) => Math.round(n + (Math.random() - 0.5) * spread);
  const measure = (address, uuid, hex) => blue.do('measure', { address, uuid, hex, now: true }).catch(() => {});
  setInterval(() => measure(oximeter, '2A5F', oximetry(about(96, 3), about(84, 6))), 1000);
  setInterval(() => measure(cuff, '2A35', bloodPressure(about(134, 12), about(84, 8), about(84, 6))), 30_000);
  return blue;
}

function tell(place, specialist) {
  const facts = {
    console: `${place.origin}/`, user: place.users[0].id, pin: place.pin, specialist,
    state: place.state, mllp: `127.0.0.1:${place.ports.mllp}`, ca: place.ca, unlock: place.passphrase,
    recovery_key: place.recovery[0].key, pid: children.get('station').pid,
    recovery_cert: place.recovery[0].cert, config: place.config, boot_credential: place.boot,
    users: place.users.map(({ id }) => id), program: nhipcau,
  };
  if (json) {
    console.log(JSON.stringify(facts));
    return;
  }
  say(`
  Bàn khám của bác sĩ (the doctor's console)   ${facts.console}
      người dùng (user) ${place.users.map((u) => `${u.name} [${u.id}]`).join(', ')}   mã PIN ${facts.pin}
  Đường dẫn cho bác sĩ chuyên khoa (the specialist's link)
      ${facts.specialist}
  Máy theo dõi (monitor, HL7 over MLLP)        ${facts.mllp}
  Máy đo SpO₂ (oximeter, serial)               ${oximeter}
      nhipcau device watch --state ${facts.state}

  The pages use a certificate of this station's own authority; let the browser trust it:
      ${facts.ca}
  Ctrl-C ends the demonstration.
`);
}

const TO_PAIR = `  Máy đo Bluetooth (to be paired on the console): "Máy đo, nhập tay", "Ghép máy mới"
`;

// Where the record is, with the commands that show it.
function farewell(place) {
  say(`
  The sealed record is in ${place.state}
      ${nhipcau} record list   --state ${place.state} --unlock ${place.passphrase}
      ${nhipcau} record verify --state ${place.state} --unlock ${place.passphrase}
  It goes on where it stopped with: station/try --dir ${dir}
`);
}

async function main() {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const speech = join(dir, 'speech.wav');
  if (!existsSync(speech)) execFileSync(sim('sim-speech'), [speech], { stdio: 'pipe' });

  const heart = join(dir, 'heart.wav');
  if (!existsSync(heart)) execFileSync(sim('sim-heart'), [heart], { stdio: 'pipe' });

  const rtsp = await freePort();
  const place = await setUp(dir, { ports: { rtsp }, config: devices(rtsp, speech, heart), listen: listen ? [listen] : [], names: listen ? [listen] : [] });
  await keep('sim-camera', () => simulator('sim-camera', ['--port', String(place.ports.rtsp),
    '--name', 'room', '--name', 'exam', '--size', '640x360', '--fps', '15']));
  // A finger oximeter on a serial line, beside the monitor.
  await keep('sim-serial', async () => (await serialDevice('contec', oximeter, ['--wander'])).child);
  // What drives a browser is to find the same page everywhere.
  const blue = json ? null : await bluetoothDevices();
  await keep('station', () => runStation(place, { env: blue?.env }));
  await keep('sim-monitor', () => simulator('sim-monitor', ['--port', String(place.ports.mllp),
    '--waves', '500', '--alarms']));
  tell(place, await openConsultation(place));
  if (blue) say(TO_PAIR);

  await new Promise((done) => {
    process.once('SIGINT', done);
    process.once('SIGTERM', done);
    if (seconds !== undefined) setTimeout(done, Number(seconds) * 1000);
  });
  ending = true;
  for (const name of ['sim-monitor', 'station', 'sim-serial', 'sim-camera']) await stop(children.get(name));
  await blue?.end();
  farewell(place);
}

main().then(() => process.exit(0), async (error) => {
  ending = true;
  console.error(`station/try: ${error.message}`);
  for (const child of children.values()) await stop(child);
  process.exit(1);
});
