// share of 1 Mbit/s used while 5 % are lost by chance, beside Chromium on the same link

import { setTimeout as pause } from 'node:timers/promises';
import { linkBench } from '../lib/link-bench.mjs';

await linkBench({
  name: 'random-loss', unit: 'share', better: 'higher', link: { rate: 1e6, queue: 0.5, delay: 40, loss: 0.05 },
  async measure({ link }) {
    await pause(20_000);
    const begun = performance.now();
    await pause(60_000);
    return (link.through(begun, performance.now()) * 8) / (performance.now() - begun) / 1000;
  },
});
