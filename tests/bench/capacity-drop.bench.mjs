// s from 1 Mbit/s to 500 kbit/s until the queue stays below 100 ms, beside Chromium on the same link

import { setTimeout as pause } from 'node:timers/promises';
import { linkBench, until } from '../lib/link-bench.mjs';

await linkBench({
  name: 'capacity-drop', unit: 's', better: 'lower', link: { rate: 1e6, queue: 0.5, delay: 40 },
  async measure({ link }) {
    await pause(20_000);
    link.rate = 5e5; // the queue keeps its bytes
    const begun = performance.now();
    let long = begun;
    await until(() => {
      if (link.queueMs > 100) long = performance.now();
      return performance.now() - long > 1000;
    }, 30);
    return (long - begun) / 1000;
  },
});
