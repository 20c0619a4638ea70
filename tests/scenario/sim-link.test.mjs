// The link that the other tests stand on: what it carries, delays, loses, and that it does so twice.

import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '../lib/browser.mjs';
import { makeLink } from '../lib/link.mjs';
import { line, root, start, stop } from '../lib/station.mjs';
import { sendNumbers } from '../lib/udp-probe.mjs';

const open = new Set();
async function link(profile, options) {
  const made = await makeLink(profile, options);
  open.add(made);
  return made;
}
async function close(made) {
  open.delete(made);
  await made.remove();
}
const children = [];
const child = (...args) => {
  const one = start(...args);
  children.push(one);
  return one;
};
after(async () => {
  for (const one of children) await stop(one);
  for (const one of open) await one.remove();
});

// Round trips, ms; what got no answer is not among them.
async function ping(netns, address, { count = 10, interval = 0.1, wait = 1 } = {}) {
  const pinging = child('ping', ['-n', '-c', String(count), '-i', String(interval), '-W', String(wait), address], { netns });
  const chunks = await pinging.stdout.toArray();
  return [...Buffer.concat(chunks).toString().matchAll(/time=([\d.]+) ms/g)].map((m) => Number(m[1]));
}
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

// Nothing of what was sent is on its way.
const settled = (made) => () => eventually(async () => {
  const { up, down } = await made.stats();
  return [up, down].every((way) => way.sent === way.packets + way.full + way.lost + way.cut);
}, 20, 'the link is empty');

const upwards = (made, options) => sendNumbers({ from: made.clinic, to: made.hospital, address: made.hospitalAddress, settled: settled(made), ...options });
const downwards = (made, options) => sendNumbers({ from: made.hospital, to: made.clinic, address: made.clinicAddress, settled: settled(made), ...options });

const near = (value, wanted, share, what) =>
  assert.ok(Math.abs(value - wanted) <= wanted * share, `${what}: ${value} is not within ${share * 100} % of ${wanted}`);

// What a way carries while packets wait before it all the time, by the forwarder's own count: a receiver
// of thousands of packets a second loses some itself on a busy machine.
async function carried(made, way) {
  const first = await eventually(async () => {
    const stats = await made.stats();
    return stats[way].queue_ms > 400 && stats;
  }, 20, 'packets wait');
  const last = await eventually(async () => {
    const stats = await made.stats();
    return stats.at - first.at > 200 && stats;
  }, 10, 'some have passed');
  assert.ok(last.at - first.at < 400, 'the queue may have been empty meanwhile: a busy machine');
  return (last[way].bytes - first[way].bytes) * 8000 / (last.at - first.at);
}

describe('profiles', { concurrency: 4 }, () => {
  for (const [name, up, down, delay] of [
    ['fibre', 50e6, 50e6, 10], ['mountain-4g', 384e3, 1e6, 60], ['village-3g', 128e3, 256e3, 150], ['bufferbloat', 500e3, 2e6, 40],
  ])
    test(`${name}: capacity of each way, round trip of either family`, { timeout: 180_000 }, async () => {
      const made = await link(name);
      assert.deepEqual([made.profile.up.rate, made.profile.down.rate, made.profile.up.delay, made.profile.down.delay],
        [up, down, delay, delay]);
      // The table's loss is measured by itself: here it would only spoil the figures.
      await made.set({ up: { loss: 0 }, down: { loss: 0 } });
      const passing = (2 * delay) + (84 * 8000) / up + (84 * 8000) / down;
      for (const address of [made.clinicAddress6, made.clinicAddress]) {
        const ms = median(await ping(made.hospital, address, { count: 5 }));
        assert.ok(ms >= passing - 0.2 && ms < passing + 10, `${address}: ${ms} ms, not ${passing}`);
      }
      // All at once into a long queue: what comes out does not depend on how evenly a busy machine sends.
      await Promise.all([['up', upwards, up], ['down', downwards, down]].map(async ([way, send, rate]) => {
        await made.set({ [way]: { queue: 6000 } });
        if (name === 'fibre') {
          const sending = send(made, { count: 12_000, rate: 1e9 });
          near(await carried(made, way), rate, 0.03, `${name} ${way}`);
          await sending;
        } else {
          const got = await send(made, { count: Math.ceil(rate * 4 / (228 * 8)), bytes: 200, rate: 1e9 });
          near(got.rate, rate, 0.03, `${name} ${way}`);
        }
      }));
      await close(made);
    });
});

test('a full queue is as long as the profile says', { timeout: 180_000 }, async () => {
  const made = await link('bufferbloat');
  const sending = upwards(made, { count: 150, rate: 1e6 });
  const waiting = await eventually(async () => {
    const { up } = await made.stats();
    return up.full > 0 && up.queue_ms;
  }, 15, 'packets find the queue full');
  near(waiting, 1000, 0.05, 'queue');
  // A rate that halves leaves the bytes where they are: twice the time.
  await made.scale(0.5);
  assert.ok((await made.stats()).up.queue_ms > 1700);
  await made.scale(1);
  await sending;
  const { up } = await made.stats();
  assert.equal(up.sent, up.packets + up.full);
  await close(made);
});

test('packets are lost as often as the profile says, the same ones by the same seed', { timeout: 180_000 }, async () => {
  const lost = [];
  const count = 3000;
  await Promise.all([7, 7, 8].map(async (seed, i) => {
    const made = await link('village-3g', { seed });
    await made.set({ up: { rate: 20e6, queue: 1000 } });
    const { numbers } = await upwards(made, { count, rate: 1e6, bytes: 100 });
    const there = new Set(numbers);
    lost[i] = Array.from({ length: count }, (_, n) => n).filter((n) => !there.has(n));
    const { up } = await made.stats();
    assert.deepEqual([up.full, up.lost], [0, lost[i].length]);
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), 'order is kept');
    await close(made);
  }));
  // 5 % of 3000 with four standard deviations.
  for (const one of lost) assert.ok(Math.abs(one.length - 150) < 48, `${one.length} of ${count} lost`);
  assert.deepEqual(lost[0], lost[1]);
  assert.notDeepEqual(lost[0], lost[2]);
});

test('jitter delays up to what was said', { timeout: 180_000 }, async () => {
  const made = await link('fibre');
  await made.set({ up: { jitter: 60 } });
  const times = await ping(made.hospital, made.clinicAddress, { count: 40, interval: 0.05 });
  assert.ok(Math.min(...times) < 35 && Math.max(...times) > 50 && Math.max(...times) < 95, `${Math.min(...times)} to ${Math.max(...times)} ms`);
  await close(made);
});

test('a blackout is silence, both ways or one, and ends', { timeout: 180_000 }, async () => {
  const made = await link('fibre');
  const heard = async () => (await ping(made.hospital, made.clinicAddress, { count: 3, wait: 0.5 })).length;
  assert.equal(await heard(), 3);
  for (const way of [undefined, 'up', 'down']) {
    await made.cut(way);
    assert.equal(await heard(), 0, `cut ${way ?? 'both'}`);
    await made.restore(way);
    assert.equal(await heard(), 3, `restored ${way ?? 'both'}`);
  }
  const { up, down } = await made.stats();
  assert.ok(up.cut >= 3 && down.cut >= 6, JSON.stringify({ up, down }));
  await close(made);
});

test('either side changes its address, the old one is silent, TCP to the origin goes on', { timeout: 180_000 }, async () => {
  const made = await link('fibre');
  const before = { clinic: made.clinicAddress, clinic6: made.clinicAddress6, hospital: made.hospitalAddress };
  // Lines of TCP through the whole test: sums and segments are whole without offloads.
  const server = child('node', ['-e', `require('net').createServer((s) => { s.pipe(s); s.on('error', () => {}); })
    .listen(7777, '::', () => console.log('ready'))`], { netns: made.clinic });
  await line(server, /^ready/);
  const client = child('node', ['-e', `const s = require('net').connect(7777, '${made.origin}');
    process.stdin.pipe(s); s.pipe(process.stdout);`], { netns: made.hospital, stdio: ['pipe', 'pipe', 'inherit'] });
  const through = async (mark) => {
    const text = `${mark}${'x'.repeat(100_000)}`;
    const back = line(client, new RegExp(`^${mark}x{10000}`), 15);
    client.stdin.write(`${text}\n`);
    await back;
  };
  await through('a');
  assert.equal(await made.changeAddress('clinic'), made.clinicAddress);
  assert.notEqual(made.clinicAddress, before.clinic);
  for (const address of [made.clinicAddress, made.clinicAddress6])
    assert.equal((await ping(made.hospital, address, { count: 2 })).length, 2, address);
  for (const address of [before.clinic, before.clinic6])
    assert.equal((await ping(made.hospital, address, { count: 2, wait: 0.5 })).length, 0, address);
  await through('b');
  await made.changeAddress('hospital', { gap: 0.3 });
  assert.equal((await ping(made.clinic, made.hospitalAddress, { count: 2 })).length, 2);
  assert.equal((await ping(made.clinic, before.hospital, { count: 2, wait: 0.5 })).length, 0);
  await stop(client);
  await stop(server);
  await close(made);
});

test('a profile\'s events happen when they should', { timeout: 180_000 }, async () => {
  const made = await link('mountain-4g');
  const first = made.clinicAddress, begun = performance.now();
  const events = made.play(12); // a tenth of the two minutes
  assert.deepEqual(events, [{ at: 3, what: 'cut' }, { at: 4, what: 'restore' }, { at: 7, what: 'address' }]);
  const after = () => (performance.now() - begun) / 1000;
  const knock = child('ping', ['-n', '-i', '0.05', made.origin], { netns: made.hospital });
  knock.stdout.resume();
  await eventually(async () => (await made.stats()).down.cut > 0, 10, 'the blackout begins');
  const cutAt = after();
  let { cut } = (await made.stats()).down;
  await eventually(async () => {
    const now = (await made.stats()).down;
    const same = now.cut === cut && now.packets > 0;
    cut = now.cut;
    return same && after() > 4.2;
  }, 10, 'the blackout ends');
  await eventually(async () => made.clinicAddress !== first, 10, 'the address changes');
  const addressAt = after();
  assert.ok(cutAt > 2.9 && cutAt < 5, `cut at ${cutAt}`);
  assert.ok(addressAt > 6.9 && addressAt < 9, `address at ${addressAt}`);
  await stop(knock);
  await close(made);
});

test('a wrong profile or number is refused with what would be right', { timeout: 180_000 }, async () => {
  await assert.rejects(makeLink('carrier-pigeon'), /mountain-4g/);
  const made = await link('fibre');
  await assert.rejects(made.set({ up: { rate: -1 } }), /rate \(bit\/s/);
  await assert.rejects(made.set({ sideways: { rate: 1e6 } }), /up or down/);
  await close(made);
});

const namespaces = () => execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });

test('a test that is killed leaves no namespace', { timeout: 180_000 }, async () => {
  const killed = spawn('node', ['--input-type=module', '-e',
    `const { makeLink } = await import('${join(root, 'tests/lib/link.mjs')}');
     console.log((await makeLink('fibre')).clinic); setInterval(() => {}, 1000);`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [name] = await line(killed, /^nc.*/);
  assert.ok(namespaces().includes(name));
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  await eventually(async () => !namespaces().includes(name.replace('-clinic', '-')), 10, 'the namespaces go');
});

test('a person drives it by hand', { timeout: 180_000 }, async () => {
  const person = child(join(root, 'tests/sim/link'), ['village-3g', '--seed', '3'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await line(person, /^profile .*"name":"village-3g"/);
  for (const [said, answer] of [['set up rate=64000 queue=300', /^ok|\{\}|undefined/], ['cut down', /"ok":true/], ['restore', /"ok":true/],
    ['address hospital', /^10\.77\.1\.2/], ['stats', /"queue_bytes"/], ['at 0.1 stats', /ok/], ['sing', /sing is no command/],
    ['set up speed=3', /speed=3 is no setting/]]) {
    const heard = line(person, answer);
    person.stdin.write(`${said}\n`);
    await heard;
  }
  const ended = once(person, 'exit');
  person.stdin.end();
  assert.equal((await ended)[0], 0);
});
