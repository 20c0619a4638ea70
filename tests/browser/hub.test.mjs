// The hub with real browsers: pictures move, sound is heard, the page's own tracks come back, the
// channel works both ways, and what one page sends the other sees.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, mediaNow, openChromium, openFirefox, watchMedia } from '../lib/browser.mjs';
import { startHub } from '../lib/hub.mjs';
import { UdpLink } from '../lib/udp-link.mjs';

let hub, chromium;
before(async () => {
  hub = await startHub();
  chromium = await openChromium();
  await chromium.context.addInitScript(watchMedia);
});
after(async () => {
  await chromium?.close();
  assert.equal(await hub?.stop(), 0);
});

async function open(peer, own = true, browser = chromium) {
  const page = await browser.context.newPage();
  await page.goto(hub.address);
  await page.evaluate(([name, wantsOwn]) => globalThis.hub.start(name, wantsOwn), [peer, own]);
  return page;
}

// The page says goodbye (DTLS close_notify) and the hub hears it.
async function leave(page, peer) {
  await page.evaluate(() => globalThis.hub.pc.close());
  await eventually(async () => hub.state(peer).state === 'closed', 10, 'goodbye');
  await page.close();
  hub.tell({ do: 'remove', peer });
}

// Waits until `stream` has shown that many pictures more, and not all the same. A page in the
// background presents none.
async function moves(page, stream, frames = 25) {
  await page.bringToFront();
  const start = (await mediaNow(page)).videos[stream]?.frames ?? 0;
  await eventually(async () => {
    const video = (await mediaNow(page)).videos[stream];
    return video && video.frames - start >= frames && video.pictures >= 2;
  }, 20, `${stream} moves`);
}

async function hears(page) {
  const start = (await mediaNow(page)).energy;
  await eventually(async () => (await mediaNow(page)).energy > start + 0.001, 20, 'sound');
}

// The hub gets whole frames of the page's own tracks.
async function arrives(peer) {
  const start = await hub.look(peer);
  await eventually(async () => {
    const now = await hub.look(peer);
    return now.audio - start.audio > 20 && now.video - start.video > 10 && now.keys > 0;
  }, 20, `frames of ${peer}`);
}

const events = (peer, name) => hub.events.filter((e) => e.event === name && e.peer === peer);

async function channelWorks(page, peer) {
  await eventually(async () => events(peer, 'channel').some((e) => e.label === 'data' && e.open), 10, 'channel');
  const down = `xin chào ${peer} ${Date.now()}`, up = `dạ, ${peer} nghe rõ ${Date.now()}`;
  hub.tell({ do: 'send', peer, text: down });
  await eventually(() => page.evaluate((text) => globalThis.hub.messages.includes(text), down), 10, 'message down');
  await page.evaluate((text) => globalThis.hub.channel.send(text), up);
  await eventually(async () => events(peer, 'message').some((e) => e.data === up && e.text), 10, 'message up');
}

test('Chromium: picture, sound, own tracks, channel', async () => {
  const page = await open('a');
  await eventually(async () => hub.state('a')?.state === 'connected', 10, 'connected');
  await moves(page, 'source-room');
  await hears(page);
  await arrives('a');
  await channelWorks(page, 'a');
  const { codecs } = await mediaNow(page);
  assert.ok(codecs.includes('video/H264') && codecs.includes('audio/opus'), codecs.join());
  for (const kind of ['audio', 'video'])
    assert.ok(events('a', 'track').some((e) => e.kind === kind && e.on), `track ${kind}`);
  const { rtt_ms, sent_bps, received_bps } = await hub.look('a');
  assert.ok(rtt_ms >= 0 && rtt_ms < 500 && sent_bps > 50000 && received_bps > 50000);
  assert.equal(await page.evaluate(() => globalThis.hub.error), undefined);
  await leave(page, 'a');
});

test('each page sees the other; a line at rest is used again', async () => {
  const page = await open('b');
  const other = await open('c');
  await moves(page, 'peer-c');
  await moves(other, 'peer-b');
  await hears(other);
  await leave(other, 'c');
  await eventually(() => page.evaluate(() => !document.querySelector('[data-stream="peer-c"]')), 10, 'gone');
  const third = await open('d');
  await moves(page, 'peer-d');
  await moves(third, 'peer-b');
  await moves(page, 'source-room');
  const lines = await page.evaluate(() => globalThis.hub.answer.match(/^m=/gm).length);
  assert.equal(lines, 7, 'five first lines and two forwarded');
  assert.equal(await page.evaluate(() => globalThis.hub.error), undefined);
  await leave(third, 'd');
  await leave(page, 'b');
});

// By the browser's own reckoning of when what it plays now was captured (from the sender reports).
test('voice and picture are played together', async (t) => {
  const page = await open('m', false);
  const other = await open('n');
  await moves(page, 'peer-n');
  await hears(page);
  const apart = () => page.evaluate(async () => {
    const at = {};
    const reports = await globalThis.hub.pc.getStats();
    for (const report of reports.values()) {
      if (report.type !== 'inbound-rtp' || !report.estimatedPlayoutTimestamp) continue;
      const line = globalThis.hub.pc.getTransceivers().find(({ mid }) => mid === report.mid);
      const group = /^f/.test(line.mid) ? 'sent on' : 'own';
      (at[group] ??= {})[report.kind] = report.estimatedPlayoutTimestamp;
    }
    return Object.fromEntries(Object.entries(at).filter(([, { audio, video }]) => audio && video)
      .map(([group, { audio, video }]) => [group, video - audio]));
  });
  await eventually(async () => Object.keys(await apart()).length === 2, 20, 'reports of both');
  const all = { own: [], 'sent on': [] };
  for (let i = 0; i < 50; i++) {
    for (const [group, ms] of Object.entries(await apart())) all[group].push(Math.abs(ms));
    await new Promise((done) => { setTimeout(done, 100); });
  }
  const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
  t.diagnostic(`apart, median of 5 s: own sources ${median(all.own)} ms, sent on ${median(all['sent on'])} ms`);
  assert.ok(median(all['sent on']) < 250);

  await leave(other, 'n');
  await leave(page, 'm');
});

test('a muted source stands still and comes back', async () => {
  const page = await open('e', false);
  await moves(page, 'source-room');
  hub.tell({ do: 'mute', source: 'room', muted: true });
  let last = -1;
  await eventually(async () => {
    const { frames } = (await mediaNow(page)).videos['source-room'];
    const still = frames === last;
    last = frames;
    await new Promise((done) => { setTimeout(done, 500); });
    return still;
  }, 10, 'stands still');
  hub.tell({ do: 'mute', source: 'room', muted: false });
  await moves(page, 'source-room');
  await leave(page, 'e');
});

test('a new path by ICE restart, media and channel go on', async () => {
  const page = await open('f');
  await moves(page, 'source-room');
  const ufrag = () => page.evaluate(() => globalThis.hub.pc.remoteDescription.sdp.match(/ice-ufrag:(\S+)/)[1]);
  const old = await ufrag();
  hub.tell({ do: 'offer', peer: 'f', restart: true });
  await eventually(async () => (await ufrag()) !== old, 10, 'new credentials');
  await eventually(() => page.evaluate(() => globalThis.hub.pc.iceConnectionState === 'connected'
    || globalThis.hub.pc.iceConnectionState === 'completed'), 10, 'connected again');
  await moves(page, 'source-room', 60);
  await arrives('f');
  await channelWorks(page, 'f');
  await leave(page, 'f');
});

// 5 % lost both ways, too far to be sent again in time: our sound goes to Chromium as RED, its sound comes as RED once we have asked
// for it, and its encoder is told.
test('lost sound comes along with later sound', async (t) => {
  const link = new UdpLink({ rate: 2e6, delay: 60, loss: 0.05, backLoss: 0.05 });
  hub.links.set('l', { link, ...(await link.open()) });
  const near = await openChromium({ args: ['--allow-loopback-in-peer-connection'] });
  const page = await open('l', true, near);
  try {
    await eventually(async () => hub.state('l')?.state === 'connected', 20, 'connected');
    await eventually(async () => (await hub.look('l')).redundant > 200, 40, 'RED goes out');
    await eventually(() => page.evaluate(() => /^m=audio \d+ \S+ 63 111\r$/m.test(globalThis.hub.answer)), 40,
      'RED asked for');
    const stats = () => page.evaluate(async () => {
      const found = { fec: 0, sent: '' };
      const reports = await globalThis.hub.pc.getStats();
      for (const report of reports.values()) {
        if (report.type === 'inbound-rtp' && report.kind === 'audio') {
          Object.assign(found, { concealed: report.concealedSamples, heard: report.totalSamplesReceived,
            lost: report.packetsLost, came: report.packetsReceived, fec: report.fecPacketsReceived ?? 0 });
        }
        if (report.type === 'outbound-rtp' && report.kind === 'audio')
          Object.assign(found, { sent: reports.get(report.codecId).mimeType, bytes: report.bytesSent });
      }
      return found;
    });
    t.diagnostic(`Chromium sends ${(await stats()).sent}`);
    // Some window of 5 s in which both hear nearly all; without RED one packet in twenty is missing.
    await eventually(async () => {
      const before = await stats(), from = await hub.look('l');
      await new Promise((done) => { setTimeout(done, 5000); });
      const after = await stats(), to = await hub.look('l');
      const concealed = (after.concealed - before.concealed) / (after.heard - before.heard);
      t.diagnostic(`in 5 s: concealed ${(100 * concealed).toFixed(2)} %, of the page's sound came `
        + `${to.audio - from.audio} of 250 packets, at ${Math.round((after.bytes - before.bytes) * 1.6)} bit/s`);
      return concealed < 0.02 && to.audio - from.audio > 243;
    }, 40, 'sound is whole');
    assert.ok(hub.events.some((e) => e.event === 'want-loss' && e.value >= 2), 'the encoder is told');
  } finally {
    link.close();
    await near.close();
  }
  hub.tell({ do: 'remove', peer: 'l' });
});

// Nothing is sent again: each lost packet that no parity makes good ends in a request for a key frame.
test('lost pictures are made good by parity', async (t) => {
  const link = new UdpLink({ rate: 3e6, delay: 140, loss: 0.03, backLoss: 0 });
  hub.links.set('p', { link, ...(await link.open()) });
  const near = await openChromium({ args: ['--allow-loopback-in-peer-connection'] });
  const page = await near.context.newPage();
  try {
    await page.goto(hub.address);
    await page.evaluate(async () => {
      globalThis.hub.understood = (sdp) => {
        const again = [...sdp.matchAll(/^a=rtpmap:(\d+) rtx\//gm)].map(([, type]) => type);
        return sdp.replace(/^a=(rtpmap|fmtp|rtcp-fb):(\d+) .*\r\n/gm, (line, what, type) => again.includes(type) || / nack\r/.test(line) ? '' : line)
          .replace(/^m=video .*/gm, (line) => line.split(' ').filter((word) => !again.includes(word)).join(' '));
      };
      await globalThis.hub.start('p', false);
    });
    await eventually(async () => hub.state('p')?.state === 'connected', 20, 'connected');
    await page.bringToFront();
    const stats = async () => ({ parity: (await hub.look('p')).parity, ...(await page.evaluate(async () => {
      const reports = [...(await globalThis.hub.pc.getStats()).values()];
      const { framesDecoded, packetsLost, pliCount, nackCount, fecPacketsReceived } = reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
      return { framesDecoded, packetsLost, pliCount, nackCount, fecPacketsReceived };
    })) });
    await eventually(async () => (await stats()).fecPacketsReceived > 5, 40, 'parity comes');
    let seen;
    await eventually(async () => {
      const before = await stats();
      await new Promise((done) => { setTimeout(done, 5000); });
      const after = await stats();
      seen = Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]]));
      t.diagnostic(JSON.stringify(seen));
      return seen.packetsLost >= 3 && seen.pliCount === 0 && seen.framesDecoded > 60;
    }, 60, 'five seconds with losses and without a request').catch((error) => { throw new Error(`${error.message}: ${JSON.stringify(seen)}`); });
    assert.equal(seen.nackCount, 0);
  } finally {
    link.close();
    await near.close();
  }
  hub.tell({ do: 'remove', peer: 'p' });
});

test('an answer that does not fit fails with the line named', async () => {
  hub.tell({ do: 'add', peer: 'g', loopback: true });
  await eventually(async () => events('g', 'offer').length > 0, 10, 'offer');
  hub.tell({ do: 'answer', peer: 'g', sdp: 'v=0\r\nm=video 9 RTP/AVP 96\r\n' });
  const failed = await eventually(async () => events('g', 'state').find((e) => e.state === 'failed'), 10, 'failed');
  assert.match(failed.reason, /^answer: line 2, m=: the protocol must be/);
  hub.tell({ do: 'remove', peer: 'g' });
});

test('Firefox: VP8, and forwarded to Chromium', async () => {
  const firefox = await openFirefox();
  try {
    const { page } = firefox;
    await page.evaluateOnNewDocument(watchMedia);
    await page.goto(hub.address);
    await page.evaluate(() => globalThis.hub.start('h', true));
    await eventually(async () => hub.state('h')?.state === 'connected', 15, 'connected');
    await moves(page, 'source-room');
    await hears(page);
    await arrives('h');
    await channelWorks(page, 'h');
    const { codecs } = await mediaNow(page);
    assert.ok(codecs.includes('video/VP8') && !codecs.includes('video/H264'), codecs.join());
    const other = await open('i');
    await moves(other, 'peer-h');
    await moves(page, 'peer-i');
    await moves(other, 'source-room');
    assert.equal(await page.evaluate(() => globalThis.hub.error ?? ''), '');
    await leave(other, 'i');
  } finally {
    await firefox.close();
  }
  hub.tell({ do: 'remove', peer: 'h' });
});

test('encoders run only while somebody views', async () => {
  const live = () => Object.fromEntries(hub.events.filter((e) => e.event === 'want-live')
    .map((e) => [`${e.source} ${e.codec}`, e.value]));
  await eventually(async () => Object.values(live()).every((on) => on === 0), 15, 'encoders off');
  assert.deepEqual(Object.keys(live()).sort(), ['microphone opus', 'room h264', 'room vp8']);
});

test('first frame soon after the offer', async (t) => {
  const keep = await open('keep', false);
  await moves(keep, 'source-room');
  const times = [];
  for (let i = 0; i < 7; i++) {
    const page = await open(`j${i}`, false);
    times.push(await eventually(() => page.evaluate(() =>
      globalThis.hub.firstFrame['source-room'] - globalThis.hub.offerAt || 0), 10, 'first frame'));
    await leave(page, `j${i}`);
  }
  await leave(keep, 'keep');
  times.sort((a, b) => a - b);
  t.diagnostic(`ms from offer to first frame: ${times.map((time) => time.toFixed(0)).join(' ')}`);
  assert.ok(times[3] < 500, `median ${times[3]} ms`);
});
