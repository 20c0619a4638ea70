// WHIP between two stations: one publishes its consultation to the other (RFC 9725); and servers that
// refuse, send elsewhere, or are not to be trusted. What is said to people, what stands in the record.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { lookup } from '../lib/localhost.mjs';
import { place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { freePort, nhipcau, runStation, stop } from '../lib/station.mjs';

const TOKEN = 'a-token-of-the-conference';
const OPERATOR = 'Bệnh viện tỉnh';
let sender, receiver, stations = [], doctor, colleague, elsewhere, base;

const file = (place, name, text) => { writeFileSync(join(place.dir, name), text, { mode: 0o600 }); return join(place.dir, name); };

before(async () => {
  receiver = await makePlace('whip-receiver', {});
  writeFileSync(receiver.config, `${readFileSync(receiver.config, 'utf8')}\n[whip]\ntoken-file=${file(receiver, 'token', TOKEN)}\nname=Trạm bên kia\n`);
  sender = await makePlace('whip-sender', {
    config: '[camera room]\naddress=test:\nwidth=320\nheight=240\nframe-rate=10\n\n[microphone desk]\naddress=test:\n',
  });
  base = readFileSync(sender.config, 'utf8');
  await begin(`${receiver.origin}/whip`);
  stations.push(await runStation(receiver));
  colleague = await signIn(receiver, 'lan');
}, { timeout: 300_000 });

after(async () => {
  for (const page of [doctor, colleague]) page?.close();
  elsewhere?.close();
  for (const station of stations) await stop(station);
  for (const place of [sender, receiver]) place?.remove();
});

let station;
// The sender, with this place to publish to; a consultation is open.
async function begin(publish, { token = TOKEN, ca = receiver.ca, more = '' } = {}) {
  doctor?.close();
  if (station) stations = stations.filter((s) => s !== station);
  await stop(station);
  writeFileSync(sender.config, `${base}\n[conference]\npublish=${publish}\npublish-token-file=${file(sender, 'token', token)}\nca-file=${ca}\noperator=${OPERATOR}\n${more}`);
  station = await runStation(sender);
  stations.push(station);
  doctor = await signIn(sender, 'lan');
  const state = await doctor.stateWhere((s) => s.user);
  if (!state.consultation) await startConsultation(doctor);
}

const conference = async (fits, seconds = 30) => (await doctor.stateWhere((s) => fits(s.conference), seconds)).conference;
const failed = async () => {
  await doctor.ask('conference.start', { confirmed: true });
  const { problem } = await conference((c) => c.state === 'off' && c.problem);
  assert.ok(problem.text.vi.length > 10 && problem.text.en.length > 10);
  await doctor.ask('conference.seen');
  return problem.code;
};
const events = (state) => state.consultation.events.map(({ what, detail }) => (detail ? `${what}: ${detail}` : what));

test('a consultation is published to another station, which forwards and records it; it says so everywhere', { timeout: 240_000 }, async () => {
  assert.equal((await refusal(doctor.ask('conference.start'))).code, 'bad-message', 'not confirmed');
  // Nobody is there to be published to.
  assert.equal(await failed(), 'busy');
  await startConsultation(colleague);
  await colleague.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'] });
  await colleague.ask('recording.start');
  await doctor.ask('conference.start', { confirmed: true });
  const view = await conference((c) => c.state === 'live');
  assert.equal(view.operator, OPERATOR);
  const here = await doctor.stateWhere((s) => s.consultation.encryption === 'sfu');
  assert.ok(events(here).includes(`sfu-begun: ${OPERATOR}`), events(here).join());
  assert.equal((await refusal(doctor.ask('conference.start', { confirmed: true }))).code, 'busy');
  // Sound and picture reach the other record.
  const there = await colleague.stateWhere((s) => s.publishers?.[0]?.state === 'live' && s.consultation.recording.tracks >= 2, 80);
  assert.equal(there.publishers[0].name, 'Trạm bên kia');
  assert.equal(there.consultation.encryption, 'end-to-end');
  await doctor.ask('conference.stop');
  const ended = await doctor.stateWhere((s) => s.conference.state === 'off' && s.consultation.encryption === 'end-to-end');
  assert.equal(events(ended).at(-1), 'sfu-ended');
  const left = await colleague.stateWhere((s) => s.publishers.length === 0);
  assert.ok(events(left).some((e) => e.startsWith('publisher-left')), 'DELETE has ended it there');
});

test('it ends when the consultation leaves the screen, and when the other side removes it', { timeout: 180_000 }, async () => {
  await doctor.ask('conference.start', { confirmed: true });
  await conference((c) => c.state === 'live');
  const { publishers } = await colleague.stateWhere((s) => s.publishers.length === 1);
  await doctor.ask('consultation.park');
  await colleague.stateWhere((s) => s.publishers.length === 0);
  await doctor.stateWhere((s) => s.conference.state === 'off');
  assert.equal((await refusal(colleague.ask('publisher.remove', { publisher: publishers[0].publisher }))).code, 'no-such');
  const [parked] = (await doctor.stateWhere((s) => s.parked.length > 0)).parked;
  await doctor.ask('consultation.open', { consultation: parked.id });
  const back = await doctor.stateWhere((s) => s.consultation?.id === parked.id);
  assert.equal(back.consultation.encryption, 'end-to-end');
  assert.ok(events(back).includes('sfu-ended: consultation'));
});

test('the endpoint: token, type, size, generation of ICE, nothing without a consultation', { timeout: 150_000 }, async () => {
  const ask = async (method, path, { token = TOKEN, headers = {}, body } = {}) => {
    const { request } = await import('node:https');
    return new Promise((done, fail) => {
      const sent = request(`${receiver.origin}${path}`, {
        method, ca: readFileSync(receiver.ca), lookup, agent: false,
        headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers, ...(body ? { 'Content-Length': Buffer.byteLength(body) } : {}) },
      }, (response) => {
        let text = '';
        response.on('data', (chunk) => { text += chunk; });
        response.on('end', () => done({ status: response.statusCode, headers: response.headers, text }));
      });
      sent.on('error', fail);
      sent.end(body);
    });
  };
  const sdp = { 'Content-Type': 'application/sdp' };
  const fragment = { 'Content-Type': 'application/trickle-ice-sdpfrag' };
  const offer = readFileSync(new URL('../fuzz/corpus/whip/offer', import.meta.url), 'utf8');
  const options = await ask('OPTIONS', '/whip', { token: null });
  assert.deepEqual([options.status, options.headers['accept-post']], [200, 'application/sdp']);
  assert.equal((await ask('POST', '/whip', { token: null, headers: sdp, body: offer })).status, 401);
  assert.equal((await ask('POST', '/whip', { token: 'another-token-of-the-same', headers: sdp, body: offer })).status, 401);
  assert.equal((await ask('POST', '/whip', { headers: { 'Content-Type': 'text/plain' }, body: offer })).status, 415);
  assert.equal((await ask('POST', '/whip', { headers: sdp, body: 'x'.repeat(140_000) })).status, 413);
  assert.equal((await ask('POST', '/whip', { headers: sdp, body: 'v=0\r\n' })).status, 400);
  const without = await ask('POST', '/whip', { headers: sdp, body: offer.replaceAll('a=rtcp-mux\r\n', '') });
  assert.equal(without.status, 400, without.text);
  assert.match(without.text, /offer/);
  assert.equal((await ask('GET', '/whip')).status, 405);

  const made = await ask('POST', '/whip', { headers: sdp, body: offer });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers['content-type'], 'application/sdp');
  assert.match(made.text, /a=setup:passive/);
  assert.match(made.text, /a=candidate:/);
  const { location, etag } = made.headers;
  assert.match(location, /^\/whip\/[\w-]{24}$/);
  const candidate = 'm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 UDP 1 192.0.2.1 9 typ host\r\n';
  const patch = (match, body) => ask('PATCH', location, { headers: { ...fragment, ...(match ? { 'If-Match': match } : {}) }, body });
  assert.equal((await patch(etag, candidate)).status, 204);
  assert.equal((await patch(null, candidate)).status, 428);
  assert.equal((await patch('"old"', candidate)).status, 412);
  const restart = 'a=ice-ufrag:wxyz\r\na=ice-pwd:zyxwvutsrqponmlkjihgfedc\r\n';
  assert.equal((await patch(etag, restart)).status, 412);
  const restarted = await patch('*', restart);
  assert.equal(restarted.status, 200, restarted.text);
  assert.notEqual(restarted.headers.etag, etag);
  assert.match(restarted.text, /a=ice-ufrag:/);
  assert.equal((await patch(restarted.headers.etag, candidate)).status, 204);
  assert.equal((await ask('PATCH', '/whip/none', { headers: { ...fragment, 'If-Match': '*' }, body: candidate })).status, 404);
  assert.equal((await ask('DELETE', location)).status, 200);
  assert.equal((await ask('DELETE', location)).status, 404);

  // Four at most; none of them is left behind.
  const many = [];
  for (let i = 0; i < 5; i++) many.push(await ask('POST', '/whip', { headers: sdp, body: offer }));
  assert.deepEqual(many.map(({ status }) => status), [201, 201, 201, 201, 503]);
  for (const { headers } of many.slice(0, 4)) assert.equal((await ask('DELETE', headers.location)).status, 200);
  assert.equal((await ask('POST', '/whip', { headers: sdp, body: offer })).status, 201);
  await colleague.ask('consultation.park');
  await colleague.stateWhere((s) => !s.consultation && s.publishers.length === 0);
  assert.equal((await ask('POST', '/whip', { headers: sdp, body: offer })).status, 409);
});

const selfSigned = (name) => {
  const key = join(sender.dir, `${name}.key`), cert = join(sender.dir, `${name}.crt`);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'pipe' });
  return { cert, context: { key: readFileSync(key), cert: readFileSync(cert) } };
};

test('servers that refuse, send elsewhere or are not trusted: each is told in both languages', { timeout: 240_000 }, async () => {
  const known = selfSigned('known'), port = await freePort(), seen = [];
  let what;
  elsewhere = createServer(known.context, (request, response) => {
    seen.push({ method: request.method, url: request.url, authorization: request.headers.authorization });
    if (request.method !== 'POST') return response.writeHead(204).end();
    const answers = {
      round: [307, { Location: '/round' }],
      far: [307, { Location: 'https://other.invalid/whip' }],
      plain: [307, { Location: `http://localhost:${port}/whip` }],
      homeless: [201, { 'Content-Type': 'application/sdp' }],
      nonsense: [201, { 'Content-Type': 'application/sdp', Location: '/s/1' }],
      page: [201, { 'Content-Type': 'text/html', Location: '/s/1' }],
    };
    return response.writeHead(...(answers[what] ?? [what])).end('v=0\r\nnonsense');
  });
  await new Promise((done) => elsewhere.listen(port, '127.0.0.1', done));
  await begin(`https://localhost:${port}/room`, { ca: known.cert });
  for (const [answers, code] of [
    [401, 'unauthorized'], [403, 'forbidden'], [404, 'not-found'], [415, 'unsupported'], [500, 'server-error'], [503, 'unavailable'],
    ['round', 'redirected'], ['far', 'redirected'], ['plain', 'redirected'],
    ['homeless', 'no-session'], ['nonsense', 'description'], ['page', 'description'],
  ]) {
    what = answers;
    assert.equal(await failed(), code, String(answers));
  }
  assert.equal(seen.filter((r) => r.url === '/round' && r.method === 'POST').length, 3, 'three redirections at most');
  assert.ok(seen.every((r) => r.authorization === `Bearer ${TOKEN}`));
  assert.ok(seen.some((r) => r.method === 'DELETE' && r.url === '/s/1'), 'a session of no use is deleted');
  elsewhere.setSecureContext(selfSigned('stranger').context);
  elsewhere.closeAllConnections();
  assert.equal(await failed(), 'untrusted');
  elsewhere.close();
  elsewhere.closeAllConnections();
  assert.equal(await failed(), 'unreachable');
  const state = await doctor.stateWhere((s) => s.consultation.encryption === 'end-to-end');
  const count = (word) => events(state).filter((e) => e.startsWith(word)).length;
  assert.ok(count('sfu-begun') > 0);
  assert.equal(count('sfu-begun'), count('sfu-ended'));
});

test('what cannot be is told at the start', () => {
  const check = (text) => {
    const config = file(sender, 'wrong.conf', text);
    try {
      execFileSync(nhipcau, ['check', '--state', sender.state, '--config', config], { stdio: 'pipe', encoding: 'utf8' });
      return '';
    } catch (error) {
      return `${error.stdout}${error.stderr}`;
    }
  };
  assert.match(check('[conference]\npublish=https://sfu.example.vn/whip\n'), /operator/);
  assert.match(check('[conference]\npublish=http://sfu.example.vn/whip\noperator=A\n'), /https:/);
  assert.match(check('[conference]\noperator=A\n'), /publish/);
  assert.match(check('[conference]\npublish=https://sfu.example.vn/whip\noperator=A\ncamera=none\n'), /none/);
  assert.match(check(`[whip]\ntoken-file=${file(sender, 'short', 'abc\n')}\n`), /16/);
});
