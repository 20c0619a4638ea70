// A broker that is not reached: `nhipcau check` and the console say what it is, in plain words, and what to do.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Console } from '../lib/console.mjs';
import { makeAuthority, startBroker } from '../lib/rendezvous.mjs';
import { freePort, nhipcau, runStation, setUp, stop } from '../lib/station.mjs';

const dir = mkdtempSync(join(tmpdir(), 'nhipcau-broker-words-'));
let authority, other, server, clinic, station, doctor, broker, port, own;

const configure = (address, ca = authority.ca) => {
  execFileSync('sed', ['-i', `s|^broker=.*|broker=${address}|;s|^ca-file=.*|ca-file=${ca}|`, clinic.config]);
};
const check = () => JSON.parse(spawnSync(nhipcau, ['check', '--state', clinic.state, '--config', clinic.config, '--boot-credential', clinic.boot, '--json'], { encoding: 'utf8' }).stdout)
  .findings.filter(({ code }) => code.startsWith('broker'));

before(async () => {
  authority = makeAuthority(join(dir, 'ca'));
  other = makeAuthority(join(dir, 'other'));
  server = authority.server(['DNS:localhost']);
  own = authority.station('ta-van');
  port = await freePort();
  clinic = await setUp(join(dir, 'clinic'), { ports: { http: await freePort() }, more: 'id=ta-van',
    config: `[rendezvous]\nbroker=mqtts://localhost:${port}\nca-file=${authority.ca}\npages=https://kham.example.vn\n` });
  execFileSync('sed', ['-i', `s|^\\[http\\]|[http]\\ncertificate=${own.certificate}\\nkey=${own.key}|`, clinic.config]);
}, { timeout: 120_000 });

after(async () => {
  doctor?.close();
  await stop(station);
  await broker?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const open = async (tls = {}) => { broker = await startBroker({ dir: join(dir, 'broker'), websocket: await freePort(), tls: { port, ca: authority.ca, ...server, ...tls }, log: false }); };
const shut = async () => { await broker?.stop(); broker = null; };

test('check tells what is wrong with each broker', { timeout: 120_000 }, async () => {
  const one = (vi, en, level = 'warn', code = 'broker-unreachable') => {
    const [found, ...more] = check();
    assert.equal(more.length, 0);
    assert.deepEqual([found.level, found.code], [level, code], found.text.vi);
    assert.match(found.text.vi, vi);
    assert.match(found.text.en, en);
  };
  one(/không nhận kết nối ở cổng này.*Trạm tự kết nối lại/, /nothing takes connections at this port/);
  configure(`mqtts://broker.invalid:${port}`);
  one(/mạng không biết tên này/, /the network does not know this name/);
  configure(`mqtts://localhost:${port}`);
  await open();
  one(/kết nối được/, /is reached/, 'good', 'broker');
  configure(`mqtts://127.0.0.1:${port}`);
  one(/chứng thư là của máy chủ khác tên/, /its certificate is for another name/, 'bad');
  configure(`mqtts://localhost:${port}`, other.ca);
  one(/không được tin cậy; đặt ca-file/, /is not trusted; set ca-file/, 'bad');
  await shut();
  configure(`mqtts://localhost:${port}`);
  // Something that speaks no TLS.
  broker = await startBroker({ dir: join(dir, 'plain'), open: port, log: false });
  one(/không nói được TLS/, /does not speak TLS/, 'bad');
  await shut();
});

test('the console says it too, while it lasts', { timeout: 180_000 }, async () => {
  station = await runStation(clinic);
  doctor = await Console.connect({ ...clinic, ca: authority.ca });
  await doctor.ask('sign-in', { user: 'lan', pin: clinic.pin });
  const bad = async (code) => {
    const { broker: said } = await doctor.stateWhere((s) => s.broker?.level === 'bad' && s.broker.code === code, 60)
      .catch((error) => { throw new Error(`${code}: ${error.message}: ${JSON.stringify(doctor.state.broker)}`); });
    assert.equal(said.broker, `mqtts://localhost:${port}`);
    assert.equal(said.connected, false);
    assert.match(said.text.vi, /người ở xa không vào được, cuộc gọi đang diễn ra không bị ảnh hưởng/);
    return said.text;
  };
  assert.match((await bad('refused')).vi, /không nhận kết nối ở cổng này/);
  await open();
  const { broker: good } = await doctor.stateWhere((s) => s.broker?.connected, 60);
  assert.deepEqual([good.level, good.text], ['good', undefined]);
  await shut();
  // A broker of another authority's stations.
  await open({ ca: other.ca });
  assert.match((await bad('stranger')).en, /refuses this station's certificate/);
  await shut();
  await open();
  await doctor.stateWhere((s) => s.broker?.connected, 90);
});

test('nothing of a station.conf that has no broker', () => {
  execFileSync('sed', ['-i', '/^\\[rendezvous\\]/,$d', clinic.config]);
  assert.deepEqual(check(), []);
});
