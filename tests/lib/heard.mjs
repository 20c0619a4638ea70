// What a page of the consultation hears and reads, as a person would: gaps of sound, concealed sound,
// age of the vital signs.

// Put into the page after watchMedia() of browser.mjs.
export function watchCall() {
  const STEP = 50; // ms between two looks at the statistics
  let looked = performance.now();
  const call = (globalThis.__call = { tracks: new Map(), vitals: { newest: 0, oldest: 0, messages: 0 },
    waves: { messages: 0, last: 0, gap: 0 }, begun: 0, stall: 0 });
  const channels = new WeakSet();
  const wave = (now = performance.now()) => {
    const { waves, begun } = call;
    waves.gap = Math.max(waves.gap, now - Math.max(waves.last, begun));
    waves.last = now;
    waves.messages++;
  };
  const listen = (connection) => {
    if (channels.has(connection)) return;
    channels.add(connection);
    connection.addEventListener('datachannel', ({ channel }) => channel.addEventListener('message', ({ data }) => {
      if (typeof data !== 'string' && channel.label === 'wave') wave();
      if (typeof data !== 'string' || !data.includes('"readings"')) return;
      call.vitals.messages++;
      const { items = [], now = [] } = JSON.parse(data);
      for (const { time } of [...items, ...now]) call.vitals.newest = Math.max(call.vitals.newest, Date.parse(time));
    }));
  };
  const Watched = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Watched {
    constructor(...args) { super(...args); listen(this); }
  };
  // One look at a track: NetEQ's counters since the last look. A run is a gap: looks one after the
  // other of whose sound most was made up, in a pause of the talk too.
  const hear = (id, stat) => {
    const total = stat.totalSamplesReceived ?? 0;
    const silent = stat.silentConcealedSamples ?? 0, concealed = stat.concealedSamples ?? 0;
    const packets = stat.packetsReceived;
    const track = call.tracks.get(id) ?? { run: 0, gap: 0, from: { total, silent, concealed, packets }, total, concealed };
    const [all, made] = [total - track.total, concealed - track.concealed];
    if (all > 0) {
      track.run = made > all / 2 ? track.run + made : 0;
      track.gap = Math.max(track.gap, track.run);
    }
    call.tracks.set(id, Object.assign(track, { total, silent, concealed, packets }));
  };
  const look = async () => {
    const now = performance.now();
    call.stall = Math.max(call.stall, now - looked - STEP);
    for (const connection of globalThis.__media.connections) {
      if (connection.connectionState !== 'connected') continue;
      for (const stat of (await connection.getStats()).values())
        if (stat.type === 'inbound-rtp' && stat.kind === 'audio' && stat.packetsReceived > 0)
          hear(`${globalThis.__media.connections.indexOf(connection)}/${stat.ssrc}`, stat);
    }
    if (call.vitals.newest > 0 && call.begun > 0)
      call.vitals.oldest = Math.max(call.vitals.oldest, Date.now() - call.vitals.newest);
    looked = performance.now();
    setTimeout(look, STEP);
  };
  setTimeout(look, STEP);
}

// Forgets what was before.
export const beginHearing = (page) => page.evaluate(() => {
  const call = globalThis.__call;
  call.begun = performance.now();
  call.stall = 0;
  Object.assign(call.vitals, { oldest: 0, messages: 0 });
  Object.assign(call.waves, { messages: 0, gap: 0 });
  for (const track of call.tracks.values())
    Object.assign(track, { run: 0, gap: 0, from: { total: track.total, silent: track.silent, concealed: track.concealed, packets: track.packets } });
});

// Since then. gap: ms of the longest run of made-up sound; concealed: its share of all, without what was
// silence; vitals: age of the newest reading at its worst, ms; waves: the longest time without any, ms, and `samples` how many
// messages of them; stall: how long the page itself stood still, ms. Sound is the worst of
// all tracks that somebody talks on: a muted one has no packets.
export const heard = (page) => page.evaluate(() => {
  const { tracks, vitals, waves, begun, stall } = globalThis.__call;
  const seconds = (performance.now() - begun) / 1000;
  const sounds = [...tracks.values()].filter(({ packets, from }) => packets > from.packets).map(({ gap, total, silent, concealed, from }) => ({
    gap: Math.round(gap / 48), seconds: (total - from.total) / 48000,
    concealed: (concealed - from.concealed - (silent - from.silent)) / Math.max(total - from.total, 1),
  }));
  return {
    seconds, tracks: sounds.length,
    gap: Math.max(sounds.length > 0 ? 0 : seconds * 1000, ...sounds.map(({ gap }) => gap)), concealed: Math.max(0, ...sounds.map(({ concealed }) => concealed)),
    heard: Math.max(0, ...sounds.map(({ seconds }) => seconds)),
    waves: Math.round(Math.max(waves.gap, performance.now() - Math.max(waves.last, begun))), samples: waves.messages,
    vitals: vitals.oldest, messages: vitals.messages, stall: Math.round(stall),
  };
});
