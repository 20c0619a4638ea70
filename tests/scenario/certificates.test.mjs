// A station's certificate: from a province's offline authority, from a hospital's enrolment server; what is
// wrong is refused in words; renewed and revoked while a consultation goes on; a clock that is wrong by years.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { after, before, test } from 'node:test';
import { eventually } from '../lib/browser.mjs';
import { lookup } from '../lib/localhost.mjs';
import { keyPair, joinPage, place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, root, runStation, stop } from '../lib/station.mjs';
import { DAY, estServer } from '../sim/est.mjs';

const work = mkdtempSync(join(tmpdir(), 'certificates-'));
const pki = join(work, 'pki'), ca = join(work, 'ca');
const inWork = (name) => join(work, name);
let place, est, authority;

const openssl = (...args) => spawnSync('openssl', args, { encoding: 'utf8' });
// Not spawnSync: the enrolment server answers from this process.
const run = (command, args, env = {}) => new Promise((done) => {
  const child = spawn(nhipcau, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const said = { stdout: '', stderr: '' };
  for (const name of Object.keys(said)) child[name].setEncoding('utf8').on('data', (text) => { said[name] += text; });
  child.once('close', (status) => done({ ...said, status }));
});
const made = (name, more) => { writeFileSync(inWork(name), `${readFileSync(place.config, 'utf8')}\n${more}`); return inWork(name); };
const offline = (...args) => run('ca', [...args, '--ca', ca, '--passphrase-file', inWork('passphrase'), '--lang', 'en']);
const cert = (config, ...args) => run('cert', [...args, '--state', place.state, '--config', config, '--boot-credential', place.boot]);
const province = () => join(place.state, 'certs/province.crt');
const installed = () => new X509Certificate(readFileSync(province()));

before(async () => {
  execFileSync(join(root, 'tests/sim/station-pki'), [pki]);
  est = await estServer(pki);
  writeFileSync(inWork('passphrase'), 'sáu chữ mà hai người nghĩ ra\n', { mode: 0o600 });
  writeFileSync(inWork('est-password'), 'mot-lan\n', { mode: 0o600 });
  writeFileSync(inWork('token'), 'chi-so-cua-tram-123\n');
  place = await makePlace('certificates', { more: 'id=muong-mau\nclock=trusted', config: `[metrics]
token-file=${inWork('token')}
` });
  authority = made('offline.conf', `[issuer lao-cai]
certificate = ${ca}/root.crt
crl = ${ca}/crl.pem
`);
});
after(() => {
  est?.close();
  place?.remove();
  rmSync(work, { recursive: true });
});

// ---- The offline authority

test('an authority is made, signs a station and a doctor, and stock openssl takes it', async () => {
  assert.equal((await offline('init', '--name', 'Sở Y tế Lào Cai', '--crl-url', 'http://ca.example.vn/a.crl')).status, 0);
  assert.equal((await offline('crl')).status, 0);
  assert.match(readFileSync(join(ca, 'root.key'), 'utf8'), /ENCRYPTED PRIVATE KEY/);
  const asked = await cert(authority, 'request', '--out', inWork('muong-mau.csr'), '--lang', 'vi');
  assert.equal(asked.status, 0, asked.stderr);
  const [, digits] = asked.stdout.match(/Khóa ([0-9a-f]{16})/);
  const signed = await offline('sign', '--yes', inWork('muong-mau.csr'));
  assert.equal(signed.status, 0, signed.stderr);
  assert.ok(signed.stdout.includes(digits), 'both show the same digits of the key');
  const doctor = await run('cert', ['request', '--person', 'lan', '--name', 'BS. Lò Thị Lan', '--new-key', inWork('lan.key'),
    '--passphrase-file', inWork('passphrase'), '--out', inWork('lan.csr')]);
  assert.equal(doctor.status, 0, doctor.stderr);
  assert.equal((await offline('sign', '--yes', inWork('lan.csr'))).status, 0);
  for (const [file, purpose] of [['muong-mau.crt', 'sslclient'], ['muong-mau.crt', 'sslserver'], ['lan.crt', 'smimesign']]) {
    const done = openssl('verify', '-x509_strict', '-crl_check', '-purpose', purpose, '-CAfile', join(ca, 'root.crt'),
      '-CRLfile', join(ca, 'crl.pem'), inWork(file));
    assert.equal(done.status, 0, done.stderr);
  }
});

test('without a terminal nothing is signed by itself, and what is no request never', async () => {
  const silent = await offline('sign', inWork('muong-mau.csr'));
  assert.equal(silent.status, 2);
  assert.match(silent.stderr, /--yes/);
  writeFileSync(inWork('junk.csr'), 'xin chào');
  const junk = await offline('sign', '--yes', inWork('junk.csr'));
  assert.equal(junk.status, 3);
  assert.match(junk.stderr, /no request \(PKCS#10/);
  const stranger = est.request('nhipcau:station:muong-mau');
  assert.match((await offline('sign', '--yes', stranger)).stderr, /has certificate [0-9A-F]+ under another key\. Call them/);
  const wrong = await run('ca', ['sign', '--yes', inWork('muong-mau.csr'), '--ca', ca, '--passphrase-file', inWork('est-password')]);
  assert.equal(wrong.status, 3);
});

test('the certificate is installed and shown; it is the key of the station', async () => {
  const none = await cert(place.config, 'install', inWork('muong-mau.crt'), '--lang', 'vi');
  assert.equal(none.status, 2);
  assert.match(none.stderr, /\[issuer TÊN\]/);
  const done = await cert(authority, 'install', inWork('muong-mau.crt'));
  assert.equal(done.status, 0, done.stderr);
  const shown = JSON.parse((await cert(authority, 'show', '--json')).stdout);
  assert.equal(shown.province.verdict, 'revocation-unknown');
  assert.deepEqual(shown.province.names, ['URI:nhipcau:station:muong-mau']);
  const checked = await cert(authority, 'revoke-check', '--json');
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  assert.equal(JSON.parse(checked.stdout).own, 'good');
  assert.equal(JSON.parse((await cert(authority, 'show', '--json')).stdout).province.verdict, 'good');
  const own = new X509Certificate(readFileSync(join(place.state, 'certs/station.crt')));
  assert.ok(own.publicKey.equals(installed().publicKey));
});

test('revoked: the list says it, and stock openssl too', async () => {
  const done = await offline('revoke', '--id', 'muong-mau', '--reason', 'keyCompromise');
  assert.equal(done.status, 0, done.stderr);
  const checked = await cert(authority, 'revoke-check', '--lang', 'vi');
  assert.equal(checked.status, 1);
  assert.match(checked.stdout, /đã bị thu hồi.*gọi nơi cấp/);
  assert.match((await cert(authority, 'install', inWork('muong-mau.crt'))).stderr, /was revoked/);
  assert.match(openssl('verify', '-crl_check', '-CAfile', join(ca, 'root.crt'), '-CRLfile', join(ca, 'crl.pem'), inWork('muong-mau.crt')).stderr,
    /certificate revoked/);
  rmSync(province());
});

// ---- What is wrong

test('wrong certificates: none is installed, each is told in both languages what to do', async () => {
  const config = made('wrong.conf', `[issuer benh-vien]
certificate = ${pki}/ca.crt
crl = ${pki}/ca.crl
stations = muong-*
people = none
`);
  await cert(config, 'revoke-check');
  assert.equal((await cert(config, 'request', '--out', inWork('own.csr'))).status, 0);
  const own = inWork('own.csr');
  const good = est.issue(own);
  const revoked = est.issue(own);
  est.revoke(revoked);
  await cert(config, 'revoke-check');
  const damaged = inWork('damaged.crt');
  writeFileSync(damaged, readFileSync(good, 'utf8').replace(/\n(.{20})/, (line, text) => `\n${text.split('').reverse().join('')}`));
  const wrong = [
    [est.issue(own, { ca: 'rogue-ca' }), /nơi được tin.*\[issuer TÊN\]/s, /not trusted.*\[issuer NAME\]/s],
    [est.issue(est.request('nhipcau:station:muong-mau')), /không phải của khóa trạm này.*cert request/s, /not of this station's key.*cert request/s],
    [revoked, /thu hồi.*gọi/s, /revoked.*call/s],
    [est.issue(own, { section: 'other' }), /việc khác.*cert request/s, /something else.*cert request/s],
    [est.issue(own, { from: -90 * DAY, until: -DAY }), /hết hạn.*cert renew/s, /expired.*cert renew/s],
    [est.issue(own, { from: DAY, until: 90 * DAY }), /chưa tới ngày.*ngày giờ/s, /not valid yet.*date and time/s],
    [damaged, /PEM/, /PEM/], [join(pki, 'ca.crt'), /cert request/, /cert request/], [inWork('nowhere.crt'), /nowhere/, /nowhere/],
  ];
  for (const [file, vi, en] of wrong)
    for (const [lang, says] of [['vi', vi], ['en', en]]) {
      const done = await cert(config, 'install', file, '--lang', lang);
      assert.notEqual(done.status, 0, file);
      assert.match(done.stderr, says);
      assert.equal(existsSync(province()), false);
    }
  // Another station's, by its own key: the station of this name is another one.
  const renamed = inWork('renamed.conf');
  writeFileSync(renamed, readFileSync(config, 'utf8').replace('id=muong-mau', 'id=muong-hum'));
  assert.match((await cert(renamed, 'install', good, '--lang', 'en')).stderr, /somebody else's/);
  const elsewhere = inWork('elsewhere.conf');
  writeFileSync(elsewhere, readFileSync(config, 'utf8').replace('muong-*', 'sa-pa'));
  assert.match((await cert(elsewhere, 'install', good, '--lang', 'vi')).stderr, /không được cấp cho mã này/);
  assert.equal(existsSync(province()), false);
  assert.equal((await cert(config, 'install', good)).status, 0);
  rmSync(province());
});

test('issuers of station.conf: what is missing is named', async () => {
  const wrong = [
    [`[issuer a]\ncrl = x\n`, /certificate = FILE/], [`[issuer a]\ncertificate = x\n`, /crl = http/],
    [`[issuer a]\ncertificate = x\ncrl = ftp:\/\/x\n`, /http:\/\/ca/], [`[issuer a]\ncertificate = x\ncrl = x\nest = http:\/\/x\n`, /https:\/\/est/],
    [`[issuer a]\ncertificate = x\ncrl = x\nstations = Á\n`, /ids with/],
    [`[issuer a]\ncertificate = x\ncrl = x\n[issuer b]\ncertificate = x\ncrl = x\nstations = *\npeople = none\n`, /several issuers/],
    [`[issuer a]\ncertificate = x\ncrl = x\nest-user = y\n`, /est-password-file/],
  ];
  for (const [text, says] of wrong) {
    const done = await cert(made('bad.conf', text), 'show');
    assert.equal(done.status, 2, text);
    assert.match(done.stderr, says, text);
  }
  const none = await cert(made('bad.conf', `[issuer a]\ncertificate = nowhere.crt\ncrl = x\n`), 'revoke-check');
  assert.match(none.stderr, /\[issuer a\].*nowhere/);
});

// ---- The enrolment server

const enrolled = () => made('est.conf', `[issuer benh-vien]
certificate = ${pki}/ca.crt
crl = ${est.crl}
est = ${est.url}
est-ca-file = ${pki}/tls-ca.crt
est-user = muong-mau
est-password-file = ${inWork('est-password')}
`);

test('the first certificate by password, the next by the certificate', async () => {
  const config = enrolled();
  const first = await cert(config, 'renew');
  assert.equal(first.status, 0, first.stderr);
  assert.ok(est.asked.length > 0 && est.asked.every(({ again }) => !again));
  const serial = installed().serialNumber;
  assert.equal((await cert(config, 'renew')).status, 0);
  assert.deepEqual(est.asked.at(-1), { again: true, certificate: 'URI:nhipcau:station:muong-mau', authorized: true });
  assert.notEqual(installed().serialNumber, serial);
});

test('an enrolment server that is down, wants time, says no or talks nonsense: said, and nothing is changed', async () => {
  const config = enrolled(), before = installed().serialNumber;
  const wrong = { down: [/503/, 4], later: [/approve/, 4], refuse: [/403: not you \n|does not take this station/, 1], rubbish: [/no certificates|carries/, 4],
    page: [/something else/, 4], endless: [/./, 4], 'other-key': [/another key/, 1], rogue: [/not trusted/, 1],
    'other-purpose': [/something else/, 1], expired: [/has expired/, 1] };
  for (const [manner, [says, status]] of Object.entries(wrong)) {
    est.manner = manner;
    const done = await cert(config, 'renew', '--lang', 'en');
    assert.match(done.stderr, says, manner);
    assert.equal(done.status, status, manner);
    assert.doesNotMatch(done.stderr, /second line|\u0007/);
    assert.equal(installed().serialNumber, before, manner);
  }
  est.manner = 'good';
  const other = inWork('other.conf');
  writeFileSync(other, readFileSync(config, 'utf8').replace('tls-ca.crt', 'rogue-ca.crt'));
  assert.match((await cert(other, 'renew', '--lang', 'en')).stderr, /certificate/);
  assert.equal(installed().serialNumber, before);
});

// ---- While a consultation goes on

const served = () => new Promise((done, fail) => {
  const socket = connect({ port: place.ports.http, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(join(pki, 'ca.crt')) }, () => {
    done(socket.getPeerX509Certificate().serialNumber);
    socket.destroy();
  });
  socket.once('error', fail);
});

const metrics = () => new Promise((done, fail) => {
  const asked = request(`https://localhost:${place.ports.http}/metrics`, { lookup, ca: readFileSync(join(pki, 'ca.crt')),
    headers: { Authorization: 'Bearer chi-so-cua-tram-123' } }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (more) => { text += more; }).on('end', () => done(text));
  });
  asked.once('error', fail).end();
});

test('renewed and revoked during a call: the call goes on, the next one obeys', async () => {
  const web = inWork('web.conf');
  writeFileSync(web, readFileSync(enrolled(), 'utf8').replace('[http]', `[http]\ncertificate = ${province()}`));
  assert.equal((await cert(web, 'renew')).status, 0);
  const at = { ...place, config: web, ca: join(pki, 'ca.crt') };
  const station = await runStation(at);
  try {
    const page = await signIn(at, 'lan');
    const consultation = await startConsultation(page);
    const { link } = await page.ask('invite.create', { name: 'BS. Trần Văn Minh', role: 'specialist' });
    const guest = await joinPage(at), key = keyPair();
    await guest.join(link, key, { name: 'BS. Trần Văn Minh', facility: 'Bệnh viện' });
    const waiting = await page.stateWhere((s) => s.consultation?.guests.some(({ state }) => state === 'waiting' || state === 'lobby'));
    await page.ask('guest.admit', { guest: waiting.consultation.guests[0].guest });

    // Two thirds of its life are over: the running station asks by itself.
    const before = await served();
    const old = est.issue(await requestOf(web), { from: -80 * DAY, until: 9 * DAY });
    const asked = est.asked.length;
    assert.equal((await cert(web, 'install', old)).status, 0);
    await eventually(async () => est.asked.length > asked && est.asked.at(-1).again, 20, 'the station asks for another');
    await eventually(async () => {
      const now = await served();
      return now !== before && now === installed().serialNumber && now !== new X509Certificate(readFileSync(old)).serialNumber;
    }, 20, 'new connections get the new certificate');
    await alive(page, guest, consultation);

    // Revoked: the station learns it from the list, and says so to pages that come.
    const fresh = installed();
    writeFileSync(inWork('fresh.crt'), fresh.toString());
    est.revoke(inWork('fresh.crt'));
    assert.equal((await cert(web, 'revoke-check')).status, 1);
    await eventually(async () => {
      const next = await signIn(at, 'hung').catch(() => null);
      const said = next?.hello.problems.find(({ code }) => code === 'own-certificate-revoked');
      next?.close();
      return said && /thu hồi/.test(said.text.vi) && /revoked/.test(said.text.en) && said.level === 'bad';
    }, 20, 'the console says it');
    const figures = await metrics();
    assert.match(figures, /^nhipcau_certificate_good 0$/m);
    assert.match(figures, /^nhipcau_expires_seconds\{what="station",name="muong-mau",item="\d+"\} \d+/m);
    await alive(page, guest, consultation);
    page.close();
    guest.close();
  } finally {
    await stop(station);
  }
});

const requestOf = async (config) => {
  assert.equal((await cert(config, 'request', '--out', inWork('web.csr'))).status, 0);
  return inWork('web.csr');
};

// The doctor writes, and the guest is told: both are where they were.
async function alive(page, guest, consultation) {
  const told = page.until((m) => m.type === 'state');
  await page.ask('event', { consultation, what: 'x' }).catch(() => {});
  await page.ask('note.save', { note: crypto.randomUUID(), kind: 'note', text: 'Vẫn khám' });
  await told;
  const state = await page.stateWhere((s) => s.consultation?.id === consultation);
  assert.equal(state.consultation.state, 'live');
  assert.equal(state.consultation.guests.filter(({ state: now }) => now === 'admitted' || now === 'live').length, 1);
}
