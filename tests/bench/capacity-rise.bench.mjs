// s from 300 kbit/s to 1 Mbit/s until the estimate is 900 kbit/s, beside Chromium on the same link

import { setTimeout as pause } from 'node:timers/promises';
import { linkBench, until } from '../lib/link-bench.mjs';

await linkBench({
  name: 'capacity-rise', unit: 's', better: 'lower', link: { rate: 3e5, queue: 0.5, delay: 40 },
  async measure({ link, estimate }) {
    await pause(30_000);
    link.rate = 1e6;
    return until(async () => (await estimate()) >= 9e5, 60);
  },
});
