// s from the start of a station that was killed to the first picture at the specialist's page

import { setTimeout as pause } from 'node:timers/promises';
import { comebackBench } from '../lib/comeback-bench.mjs';

await comebackBench('recover-kill', {
  'kill -9': {
    profile: 'mountain-4g',
    async measure(call) {
      await call.kill();
      await pause(5000); // the power is away
      const started = Date.now();
      await call.startStation();
      return (await call.firstPictureAfter(started)) / 1000;
    },
  },
});
