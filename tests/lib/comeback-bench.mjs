// A bench of coming back: the same call over a link of a profile, something taken from it several
// times, seconds until the specialist's page shows a picture again.

import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { median } from './figures.mjs';
import { Comeback } from './comeback.mjs';

const round = (value) => Math.round(value * 1000) / 1000;

// cases: {name: {profile, measure(call) → seconds}}; one line of output for each, or --only one.
export async function comebackBench(bench, cases) {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' }, only: { type: 'string' } } });
  for (const [name, { profile, measure }] of Object.entries(cases)) {
    if (values.only !== undefined && values.only !== name) continue;
    const call = await Comeback.make({ profile });
    const all = [];
    try {
      for (let run = 0; run < Number(values.runs); run++) {
        await pause(8000); // the call settles
        all.push(await measure(call));
      }
    } finally {
      await call.end();
    }
    console.log(JSON.stringify({
      bench, case: name, profile, ours: round(median(all)), peer: null, peer_name: null, unit: 's', ratio: null,
      better: 'lower', all: all.map(round),
    }));
  }
  process.exit(0);
}
