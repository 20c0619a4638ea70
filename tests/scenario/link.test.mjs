// A consultation over the four links of the domain: the station and the doctor in the clinic, a specialist's
// browser in the hospital. What both hear, and how old the vital signs are. Ten seconds each;
// two minutes with blackouts and a new address in the long form.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { soundGrows } from '../lib/clinic.mjs';
import { beginHearing, heard, watchCall } from '../lib/heard.mjs';
import { Meeting } from '../lib/meeting.mjs';

const long = Boolean(process.env.NHIPCAU_LONG);
const SECONDS = long ? 120 : 10;
// Seconds in which the sender learns what the new link carries: it knew fibre a moment ago. From mountain-4g to village-3g it once took eleven
// (docs/benchmarks.md, A consultation on these links).
const LEARN = 12;
const AGAIN = 3; // and after a blackout or with a new address
const run = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000)); // the call's length, no wait for anything

let meeting, link, doctor, specialist;

before(async () => {
  meeting = await Meeting.over('fibre', { scripts: [watchCall], pictures: ['video-source-room', 'video-source-exam'] });
  ({ link, doctor, specialist } = meeting);
  for (const { page } of [doctor, specialist]) await soundGrows(page);
}, { timeout: 120_000 });

after(async () => { await meeting?.end(); });

// The worst of the parts between blackouts, for both ends.
async function talk() {
  const parts = { specialist: [], doctor: [] };
  const pages = { specialist: specialist.page, doctor: doctor.page };
  const both = (act) => Promise.all(Object.keys(pages).map((who) => act(pages[who], who)));
  const begin = () => both(beginHearing);
  const end = () => both(async (page, who) => { parts[who].push(await heard(page)); });
  let now = 0;
  await begin();
  for (const { at, what } of long ? link.profile.events : []) {
    await run(at - now);
    now = at;
    if (['cut', 'address'].includes(what)) await end();
    await link.happen(what);
    if (['restore', 'address'].includes(what)) {
      await run(AGAIN);
      now += AGAIN;
      await begin();
    }
  }
  await run(SECONDS - now);
  await end();
  const worst = (list) => Object.fromEntries(['gap', 'concealed', 'vitals', 'waves', 'stall'].map((key) => [key, Math.max(...list.map((part) => part[key]))]));
  return { ...Object.fromEntries(Object.keys(pages).map((who) => [who, { ...worst(parts[who]), heard: Math.min(...parts[who].map((part) => part.heard / part.seconds)) }])), parts };
}

// What is asked of each: ms without sound, share of sound made up, ms of age, ms without waves.
for (const [profile, { gap = Infinity, concealed = 1, vitals = Infinity, waves = Infinity }] of Object.entries({
  fibre: { gap: 200, vitals: 3000, waves: 3000 }, bufferbloat: { gap: 200 }, 'mountain-4g': { gap: 200, vitals: 3000 }, 'village-3g': { concealed: 0.1, vitals: 3000, waves: 5000 },
}))
  test(`${profile}: both hear each other, vital signs are fresh`, { timeout: (SECONDS + 60) * 1000 }, async (t) => {
    await link.become(profile);
    await run(LEARN);
    const before = await link.stats();
    const still = monitorEventLoopDelay({ resolution: 10 });
    still.enable();
    const { parts, ...figures } = await talk();
    const { up, down, late } = await link.stats();
    // A machine that stands still makes gaps of its own: they are not the link's.
    const stall = Math.round(still.max / 1e6) + Math.max(...Object.values(figures).map((one) => one.stall));
    const kbit = (way, old) => Math.round((way.bytes - old.bytes) * 8 / SECONDS / 1000);
    t.diagnostic(JSON.stringify({ profile, ...figures,
      kbit: { up: kbit(up, before.up), down: kbit(down, before.down) },
      lost: up.lost - before.up.lost, full: up.full - before.up.full, link_late_ms: late, stall, load: Math.round(loadavg()[0]) }));
    for (const [who, { gap: found, concealed: share, heard: played }] of Object.entries(figures)) {
      assert.ok(played > 0.9, `the ${who} hears ${Math.round(played * 100)} % of the time`);
      assert.ok(found <= gap + stall, `the ${who} misses ${found} ms of sound`);
      assert.ok(share < concealed, `the ${who}'s sound is made up for ${(share * 100).toFixed(1)} %`);
    }
    assert.ok(figures.specialist.vitals <= vitals, `the specialist's vital signs are ${figures.specialist.vitals} ms old`);
    assert.ok(figures.specialist.waves <= waves + stall, `the specialist has no waves for ${figures.specialist.waves} ms`);
  });
