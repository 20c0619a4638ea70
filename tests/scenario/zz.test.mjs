import { test } from 'node:test';
import { soundGrows } from '../lib/clinic.mjs';
import { beginHearing, heard, watchCall } from '../lib/heard.mjs';
import { Meeting } from '../lib/meeting.mjs';
const run = (s) => new Promise((d) => setTimeout(d, s * 1000));
test('x', { timeout: 300000 }, async (t) => {
  const meeting = await Meeting.over('fibre', { scripts: [watchCall], pictures: ['video-source-room', 'video-source-exam'] });
  try {
  const { link, doctor, specialist } = meeting;
  for (const { page } of [doctor, specialist]) await soundGrows(page);
  for (const p of (process.env.PROFILES ?? 'mountain-4g,village-3g').split(',')) {
    console.log('become', p, Math.round(Number(process.hrtime.bigint() / 1000000n)));
    await link.become(p);
    let before = await link.stats();
    const dump = process.env.DUMP ? (await import('node:child_process')).spawn('ip', ['netns', 'exec', link.middle, 'tcpdump', '-i', 'any', '-n', '-s', '120', '-w', '/tmp/x/'+p+'.pcap'], {stdio:'ignore'}) : null;
    for (let i = 0; i < 20; i++) {
      await beginHearing(specialist.page);
      await run(1);
      const h = await heard(specialist.page);
      const s = await link.stats();
      console.log(p, i, Math.round(Number(process.hrtime.bigint() / 1000000n)), 'vitals', h.vitals, 'gap', h.gap, 'msgs', h.messages, 'kbit', Math.round((s.up.bytes - before.up.bytes) * 8 / 1000), 'lost', s.up.lost - before.up.lost, 'full', s.up.full - before.up.full, 'down lost', s.down.lost - before.down.lost);
      before = s;
    }
    dump?.kill('SIGINT');
  }
  } finally { await meeting.end(); }
});
