// The doors of a conference server, to a running Janus: WHIP into its video room (there is no package for
// that; what RFC 9725 asks of a server, no more), npm's janus-whep-server out of it.
//   conference.mjs JANUS-PORT TOKEN
// Prints {publish, read}; GET /room tells what it was asked and who is there.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { register } from 'node:module';
import { freePort } from '../lib/station.mjs';

// janode loads a native module for Unix sockets, which nothing here uses and whose build is not run.
register(`data:text/javascript,${encodeURIComponent(`export const resolve = (name, context, next) => (name === 'unix-dgram'
  ? { shortCircuit: true, url: 'data:text/javascript,export const createSocket = undefined' } : next(name, context))`)}`);
const { default: Janode } = await import('janode');
const { default: VideoRoom } = await import('janode/plugins/videoroom');
const { JanusWhepServer } = await import('janus-whep-server');

const [port, token] = process.argv.slice(2);
const room = 1234, feed = 42;
const address = `ws://127.0.0.1:${port}`;
Janode.Logger.setLogLevel('none');
const janus = await (await Janode.connect({ address: { url: address }, max_retries: 3, retry_time_secs: 1 })).create();
const watcher = await janus.attach(VideoRoom);
const sessions = new Map();
const asked = [];

const bodyOf = async (request) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
};

const answer = (response, status, headers = {}, text = '') => response.writeHead(status, headers).end(text);

async function publish(request, response) {
  const sdp = await bodyOf(request);
  const handle = await janus.attach(VideoRoom);
  const id = randomUUID();
  const { jsep } = await handle.joinConfigurePublisher({ room, feed, jsep: { type: 'offer', sdp } });
  sessions.set(id, handle);
  answer(response, 201, { 'Content-Type': 'application/sdp', Location: `/session/${id}`, ETag: `"${id}"` }, jsep.sdp);
}

async function trickle(handle, request, response) {
  const candidates = (await bodyOf(request)).split('\r\n').filter((l) => l.startsWith('a=candidate:'))
    .map((l) => ({ sdpMLineIndex: 0, candidate: l.slice(2) }));
  if (candidates.length > 0) await handle.trickle(candidates);
  answer(response, 204);
}

async function tell(response) {
  const { participants } = await watcher.listParticipants({ room });
  answer(response, 200, { 'Content-Type': 'application/json' },
    JSON.stringify({ asked, publishers: participants.filter((p) => p.publisher), readers: whep.listSubscribers().length }));
}

async function serve(request, response) {
  const id = request.url.split('/').at(-1);
  const handle = sessions.get(id);
  if (request.method === 'GET') return tell(response);
  asked.push({ method: request.method, path: request.url });
  if (request.method === 'OPTIONS') return answer(response, 200, { 'Accept-Post': 'application/sdp', Link: '<stun:127.0.0.1:9>; rel="ice-server"' });
  if (request.headers.authorization !== `Bearer ${token}`) return answer(response, 401);
  if (request.method === 'POST') return publish(request, response);
  if (!handle) return answer(response, 404);
  if (request.method === 'PATCH') return trickle(handle, request, response);
  if (request.method !== 'DELETE') return answer(response, 405);
  sessions.delete(id);
  await handle.detach();
  return answer(response, 200);
}

const doorPort = await freePort(), whepPort = await freePort();
const door = createServer((request, response) => void serve(request, response).catch((error) => answer(response, 500, {}, String(error))));
await new Promise((done) => door.listen(doorPort, '127.0.0.1', done));
const whep = new JanusWhepServer({ janus: { address }, rest: { port: whepPort, basePath: '/whep' }, debug: 'err' });
await whep.start();
whep.createEndpoint({ id: 'room', plugin: 'videoroom', room, feed, token });
console.log(JSON.stringify({ publish: `http://127.0.0.1:${doorPort}/room`, read: `http://127.0.0.1:${whepPort}/whep/endpoint/room` }));
